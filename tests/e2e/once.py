#!/usr/bin/env python3
"""Commands with an idempotency key are executed once, whatever happens to the server."""

import harness
from harness import OK, PEER_FAILED, Server, finish, start

APP = """
local gw = require "godwit"
local function count(msg)
  local n = gw.kv.incr("count/" .. msg:body())
  gw.log.info("executes", { body = msg:body(), n = n })
  return n
end
gw.handle("pay", function(msg) msg:reply("receipt " .. count(msg), { n = "1" }) end, { idempotent = true })
gw.handle("refuse", function(msg) count(msg) msg:fail("Forbidden", "not you") end, { idempotent = true })
gw.handle("slow", function(msg) local n = count(msg) gw.sleep(2) msg:reply("slow " .. n) end, { idempotent = true })
gw.handle("stuck", function(msg) count(msg) gw.sleep(25) end, { idempotent = true })
gw.handle("stuck.again", function(msg) count(msg) gw.sleep(25) end, { idempotent = "again" })
gw.handle("plain", function(msg) msg:reply("plain " .. count(msg)) end)
gw.handle("once", function(msg)
  local value, err = gw.once("app:" .. msg:body(), function() return { n = count(msg) } end)
  msg:reply(err and err.name or gw.json.encode(value))
end)
"""
DURABLE = """
[store]
engine = "durable"
[operations]
lease = "1s"
"""


def ask(server, action, key, body="x", *more):
    return server.request(action, "--body", body, "--idempotency-key", key, "--uid", "ada", *more)


def test_a_repeated_command_is_answered_as_the_first_was_and_not_executed_again():
    with Server({"app": APP}) as server:
        assert ask(server, "pay", "k1").expect(OK).out.strip() == "receipt 1"
        again = ask(server, "pay", "k1", "x", "--json").expect(OK).json
        assert again["body"] == "receipt 1" and again["headers"] == {"n": "1"}, again
        assert ask(server, "pay", "k2").expect(OK).out.strip() == "receipt 2"
        assert server.metric("godwit_operations") == 2 and server.metric("godwit_store_bytes") > 0
        for _ in range(2):
            failed = ask(server, "refuse", "k3", "r").expect(PEER_FAILED)
            assert "Forbidden" in failed.err and "not you" in failed.err, failed.err
        # Without a key, with an event's kind, or where the handler did not ask for it, everything is as ever.
        assert server.request("pay", "--body", "x", "--uid", "ada").expect(OK).out.strip() == "receipt 3"
        assert ask(server, "plain", "k1", "p").expect(OK).out.strip() == "plain 1"
        assert ask(server, "plain", "k1", "p").expect(OK).out.strip() == "plain 2"


def test_a_key_is_its_uids_own_and_names_one_message():
    with Server({"app": APP}) as server:
        assert ask(server, "pay", "k").expect(OK).out.strip() == "receipt 1"
        other = server.request("pay", "--body", "x", "--idempotency-key", "k", "--uid", "bob").expect(OK)
        assert other.out.strip() == "receipt 2"
        assert "OperationMismatch" in ask(server, "pay", "k", "another body").expect(PEER_FAILED).err
        assert "OperationMismatch" in ask(server, "refuse", "k").expect(PEER_FAILED).err


def test_who_repeats_while_it_is_executed_waits_or_is_told_so():
    with Server({"app": APP}, arguments=["--set", "server.workers=2"]) as server:
        first = [start("request", server.address, "slow", "--ca", server.certificate, "--body", "x", "--idempotency-key", "k",
                       "--uid", "ada") for _ in range(8)]
        outs = {finish(one).expect(OK).out.strip() for one in first}
        assert outs == {"slow 1"}, outs
        running = start("request", server.address, "slow", "--ca", server.certificate, "--body", "y", "--idempotency-key", "k2",
                        "--uid", "ada")
        server.log.wait_for(r"executes.*body=y")
        hasty = ask(server, "slow", "k2", "y", "--timeout", "300ms")
        assert hasty.code != OK and ("OperationExecuting" in hasty.err or "DeadlineExceeded" in hasty.err), hasty.err
        assert finish(running).expect(OK).out.strip() == "slow 1"


def test_with_a_durable_store_answers_survive_kill_9():
    with Server({"app": APP}, config=DURABLE) as server:
        assert ask(server, "pay", "k").expect(OK).out.strip() == "receipt 1"
        assert server.request("once", "--body", "o").expect(OK).json == {"n": 1}
        server.kill()
        server.start_again()
        # The counter began anew; the answers did not.
        assert ask(server, "pay", "k").expect(OK).out.strip() == "receipt 1"
        assert server.request("once", "--body", "o").expect(OK).json == {"n": 1}
        assert ask(server, "pay", "k2").expect(OK).out.strip() == "receipt 1"


def test_what_a_server_died_over_is_unknown_after_its_lease_or_executed_again_as_the_handler_says():
    with Server({"app": APP}, config=DURABLE) as server:
        stuck = []
        for action in ["stuck", "stuck.again"]:
            stuck.append(start("request", server.address, action, "--ca", server.certificate, "--body", action,
                               "--idempotency-key", action, "--uid", "ada"))
            server.log.wait_for(f"executes.*body={action}( |$)")
        server.kill()
        for one in stuck:
            one.kill()
            one.communicate()
        server.write_app("app", APP.replace("gw.sleep(25)", 'msg:reply("done")'))
        server.start_again()
        # A repetition waits for the lease to end, and then hears what the handler chose.
        for _ in range(2):
            assert "OperationUnknown" in ask(server, "stuck", "stuck", "stuck").expect(PEER_FAILED).err
            assert ask(server, "stuck.again", "stuck.again", "stuck.again").expect(OK).out.strip() == "done"
        assert not any("executes" in line and "body=stuck.again" not in line for line in server.log.seen)


def test_a_second_server_on_the_same_store_says_whose_it_is():
    with Server({"app": APP}, config=DURABLE) as server:
        second = harness.run("serve", "-c", server.config_file, "--dev", cwd=server.folder)
        assert second.code != OK and "StoreLocked" in second.err and "store.db.lock" in second.err, second.err


if __name__ == "__main__":
    harness.main(globals())

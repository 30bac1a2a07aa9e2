#!/usr/bin/env python3
"""What is durable outlives servers that are killed: events arrive once and in order, commands are executed once."""

import collections
import os
import random
import stat
import subprocess
import time

import harness
from harness import Server

CLIENT = os.environ["DURABLE_CLIENT"]
ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SEED = int(os.environ.get("KILL_SEED", "1"))
APP = """
local gw = require "godwit"
gw.handle("emit", function(msg, session)
  local ok, err = session:send("news", msg:body(), { durable = true })
  if not ok then return msg:fail(err.code, err.message) end
  msg:reply("")
end)
gw.handle("plain", function(msg, session) session:send("news", msg:body()) msg:reply("") end)
gw.handle("pay", function(msg)
  local book = io.open("paid", "a")
  book:write(msg:body(), "\\n")
  book:close()
  msg:reply("receipt")
end, { idempotent = true })
gw.handle("who", function(msg, session)
  local all = {}
  for _, one in ipairs(gw.sessions()) do all[#all + 1] = one.client_id end
  table.sort(all)
  msg:reply(table.concat(all, ","))
end)
"""
CONFIG = """
[store]
engine = "durable"
[operations]
lease = "1s"
[session]
durable = true
heartbeat_interval = "200ms"
resume_window = "30s"
[app.app]
trust = "trusted"
"""


class Client:
    def __init__(self, address, client_id="walker"):
        self.process = subprocess.Popen([CLIENT, address, client_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.out = harness.Lines(self.process.stdout)

    def finish(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.out.rest()

    def numbers(self, what):
        return [int(line.split()[1]) for line in self.out.seen if line.startswith(what + " ")]

    def words(self, what):
        return {line.split()[-1] for line in self.out.seen if line.startswith(what + " ")}


def fixed(server):
    """It comes back where it was."""
    server._command += ["--set", f'server.listen="{server.address}"']
    return server


def test_durable_events_and_commands_survive_twenty_kills_of_the_server_under_load():
    chance = random.Random(SEED)
    with Server({"app": APP}, config=CONFIG) as server:
        fixed(server)
        client = Client(server.address)
        client.out.wait_for("^kept")
        for _ in range(ROUNDS):
            time.sleep(chance.uniform(0.0, 0.6))
            server.kill()
            server.start_again()
            client.out.wait_for("^connected")
            client.out.wait_for("^kept")
        client.finish()
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)
        executed = collections.Counter(map(int, (server.folder / "paid").read_text().split()))
        assert server.metric("godwit_store_bytes") >= 0
    got, kept = client.numbers("got"), client.numbers("kept")
    assert len(kept) > 5 * ROUNDS, len(kept)
    assert len(got) == len(set(got)), f"twice: {[n for n, c in collections.Counter(got).items() if c > 1]}"
    assert set(kept) <= set(got), f"accepted and lost: {sorted(set(kept) - set(got))[:20]}"
    assert got == sorted(got), "out of order"
    # What was not accepted says so.
    sent = set(range(1, max(kept) + 1))
    assert sent <= set(kept) | set(client.numbers("unsure")), "left without a word"
    assert client.words("unsure") <= {"SessionLost", "ConnectionLost", "DeadlineExceeded"}, client.words("unsure")
    assert "SessionRestored" in client.words("lost") and client.words("lost") <= {"SessionRestored"}, client.words("lost")
    # Commands: executed once where that is told, and at most once where it cannot be known.
    paid, unpaid = client.numbers("paid"), client.numbers("unpaid")
    assert all(count == 1 for count in executed.values()), "a command was executed twice"
    assert set(paid) <= set(executed) and sorted(paid + unpaid) == sorted(set(paid + unpaid))
    assert client.words("unpaid") <= {"OperationUnknown", "DeadlineExceeded"}, client.words("unpaid")
    print(f"    {len(kept)} events kept, {len(got)} got, {len(paid)} commands paid, {len(unpaid)} told unknown")


def test_a_session_is_there_for_scripts_before_its_client_comes_back_and_ends_with_its_window():
    with Server({"app": APP}, config=CONFIG.replace('"30s"', '"2s"')) as server:
        fixed(server)
        client = Client(server.address)
        client.out.wait_for("^kept")
        client.process.kill()
        client.process.wait()
        server.kill()
        server.start_again()
        assert "walker" in server.request("who").expect(harness.OK).out
        assert server.metric("godwit_sessions_restored_total") == 1
        harness.wait_until(lambda: "walker" not in server.request("who").out)
        # Nothing of it is left for the next start.
        server.kill()
        server.start_again()
        assert "walker" not in server.request("who").expect(harness.OK).out
        assert server.metric("godwit_sessions_restored_total") == 0


def test_a_server_that_is_stopped_in_good_order_keeps_what_its_clients_have_not_got():
    with Server({"app": APP}, config=CONFIG) as server:
        fixed(server)
        client = Client(server.address)
        client.out.wait_for("^kept")
        assert server.stop() == 0
        server.start_again()
        client.out.wait_for("^lost SessionRestored")
        client.out.wait_for("^kept")
        client.finish()
    got = client.numbers("got")
    assert set(client.numbers("kept")) <= set(got) and len(got) == len(set(got))


def test_the_keys_are_for_the_owners_eyes_and_no_server_starts_with_broken_ones():
    with Server({"app": APP}, config=CONFIG) as server:
        keys = server.folder / "data" / "seal.keys"
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert server.stop() == 0
        keys.write_text("nonsense")
        keys.chmod(0o600)
        server._start()
        assert server.process.wait(harness.PATIENCE_S) != 0
        assert "seal.keys" in server.log.rest()


def test_without_a_durable_store_nothing_pretends_to_be_durable():
    with Server({"app": APP}) as server:
        refused = server.request("emit", "--body", "1")
        assert "NotSupported" in refused.err, refused.err
    refused = harness.run("check", "--set", "session.durable=true")
    assert refused.code == harness.USAGE and "store.engine" in refused.err, refused.err


if __name__ == "__main__":
    harness.main(globals())

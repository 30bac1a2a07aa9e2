#!/usr/bin/env python3
"""Messages with a key of their own, over several workers: each key in one place, one after the other."""

import concurrent.futures

import harness
from harness import OK, PEER_FAILED, Server

APP = """
local gw = require "godwit"
local busy, count = {}, {}
gw.handle("work", function(msg, session)
  local key = msg.headers.room
  if busy[key] then return msg:fail("HandlerFailed", "two at a time") end
  busy[key] = true
  gw.sleep("5ms")
  busy[key] = nil
  count[key] = (count[key] or 0) + 1
  msg:reply(("%d %d %s"):format(gw.info.worker, count[key], session.uid), { room = key })
end, { key = "room" })
gw.handle("fails", function(msg) msg:fail("Forbidden", "not " .. msg:body()) end, { key = "room" })
gw.handle("where", function(msg) msg:reply(gw.info.worker) end)
"""


def ask(server, room, uid):
    return server.request("work", "--header", f"room={room}", "--uid", uid).expect(OK).out.split()


def test_each_key_has_one_worker_on_which_its_messages_come_one_after_the_other():
    with Server({"rooms": APP}, arguments=["--set", "server.workers=4"]) as server:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            calls = [(f"room-{i % 6}", f"user-{i}") for i in range(48)]
            answers = list(pool.map(lambda call: ask(server, *call), calls))
        workers, counts = {}, {}
        for (room, uid), (worker, count, who) in zip(calls, answers):
            assert who == uid
            workers.setdefault(room, set()).add(worker)
            counts.setdefault(room, []).append(int(count))
        assert all(len(used) == 1 for used in workers.values()), workers
        assert len(set().union(*workers.values())) > 1, workers
        assert all(sorted(seen) == list(range(1, 9)) for seen in counts.values()), counts


def test_failures_come_back_and_messages_without_the_header_stay_where_they_came_in():
    with Server({"rooms": APP}, arguments=["--set", "server.workers=4"]) as server:
        for room in range(8):
            failed = server.request("fails", "--header", f"room={room}", "--body", "you").expect(PEER_FAILED)
            assert "Forbidden (6002): not you" in failed.err
        assert "not me" in server.request("fails", "--body", "me").expect(PEER_FAILED).err


def test_a_reload_in_between_loses_no_message_with_a_key():
    with Server({"rooms": APP}, arguments=["--set", "server.workers=4"]) as server:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, server, f"room-{i % 6}", "ada") for i in range(60)]
            for version in range(3):
                server.write_app("rooms", APP + f"-- {version}\n")
                server.log.wait_for(f"app is live app=rooms@{version + 2}")
            assert all(len(one.result()) == 3 for one in asked)


if __name__ == "__main__":
    harness.main(globals())

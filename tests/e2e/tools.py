#!/usr/bin/env python3
"""What scripts have beyond messages, in a real server: metrics, commands, ids and compression."""

import re
import uuid

import harness
from harness import OK, PEER_FAILED, USAGE, Server

COUNTING = """
local gw = require "godwit"
local orders = gw.metric.counter("orders_total", { help = "Orders taken.", labels = { "room" } })
local seconds = gw.metric.histogram("order_seconds", { buckets = { 0.1, 1 } })
gw.handle("order", function(msg)
  orders:inc({ room = msg:body() })
  seconds:observe(0.5)
  msg:reply("%s")
end)
"""

COMMANDS = """
local gw = require "godwit"
gw.handle("ping", function(msg) msg:reply("pong") end)
gw.command("greet", { help = "Says hello.", args = "NAME" }, function(args)
  if not args[1] then return nil, gw.err("UsageInvalid", "whom?") end
  gw.sleep("10ms")
  return "hello " .. args[1]
end)
gw.command("facts", function() return { worker = gw.info.worker, list = { 1, 2 } } end)
"""

IDS = """
local gw = require "godwit"
gw.handle("ids", function(msg) msg:reply(gw.uuid.v4() .. " " .. gw.uuid.v7()) end)
gw.handle("pack", function(msg)
  local packed = gw.zstd.compress(msg:body())
  local back, err = gw.zstd.decompress(packed, 1000)
  msg:reply(back and gw.hash.sha256(back) or err.name)
end)
"""


def control(server, *arguments):
    return harness.run(*arguments, "--socket", server.folder / "data" / "admin.socket")


def serving(text, *settings):
    arguments = ["--set", 'scripts.reload="manual"']
    for setting in settings:
        arguments += ["--set", setting]
    return Server({"app": text}, arguments=arguments)


def test_what_an_app_counts_is_told_over_all_workers_and_goes_on_through_a_reload():
    with serving(COUNTING % "one", "server.workers=2") as s:
        for _ in range(6):
            assert s.request("order", "--body", "attic").expect(OK).out == "one"
        text = s.get("/metrics")[1]
        assert 'godwit_app_orders_total{app="app",room="attic"} 6\n' in text, text
        assert "# HELP godwit_app_orders_total Orders taken.\n# TYPE godwit_app_orders_total counter\n" in text
        assert 'godwit_app_order_seconds_bucket{app="app",le="0.1"} 0\n' in text
        assert 'godwit_app_order_seconds_bucket{app="app",le="1"} 6\n' in text
        s.write_app("app", COUNTING % "two")
        control(s, "script", "reload", "app").expect(OK)
        assert s.metric("godwit_app_orders_total") == 6
        assert s.request("order", "--body", "attic").expect(OK).out == "two"
        assert s.metric("godwit_app_orders_total") == 7


def test_a_broken_reload_changes_nothing_of_what_is_told():
    with serving(COUNTING % "one") as s:
        s.request("order", "--body", "attic").expect(OK)
        s.write_app("app", 'require("godwit").metric.gauge("other") error("no")')
        control(s, "script", "reload", "app").expect(PEER_FAILED)
        text = s.get("/metrics")[1]
        assert 'godwit_app_orders_total{app="app",room="attic"} 1\n' in text and "godwit_app_other" not in text


def test_operators_run_commands_and_the_log_keeps_who_did():
    with serving(COMMANDS, "server.workers=2") as s:
        listed = control(s, "script", "commands", "app").expect(OK).out
        assert re.search(r"greet NAME +Says hello\.", listed) and "facts" in listed, listed
        assert control(s, "script", "run", "app", "greet", "Ada").expect(OK).out == "hello Ada\n"
        s.log.wait_for(r"admin request.*script\.run.*app.*outcome=ok.*uid=\d+.*pid=\d+.*greet Ada")
        facts = control(s, "script", "run", "app", "facts", "--worker", "1", "--json").expect(OK).json
        assert facts["result"] == {"worker": 1, "list": [1, 2]}, facts
        assert "whom?" in control(s, "script", "run", "app", "greet").expect(PEER_FAILED).err
        s.log.wait_for(r"admin request.*script\.run.*outcome=UsageInvalid")


def test_an_unknown_command_is_answered_with_those_that_there_are():
    with serving(COMMANDS) as s:
        failed = control(s, "script", "run", "app", "greets", "Ada").expect(PEER_FAILED)
        assert "CommandUnknown" in failed.err and "it has: greet, facts" in failed.err, failed.err
        s.log.wait_for(r"admin request.*script\.run.*outcome=CommandUnknown")
        assert "UnitUnknown" in control(s, "script", "run", "nobody", "greet").expect(PEER_FAILED).err
        control(s, "script", "run", "app").expect(USAGE)


def test_ids_are_unlike_each_other_and_packing_goes_there_and_back():
    with serving(IDS) as s:
        seen = set()
        for _ in range(3):
            for text, version in zip(s.request("ids").expect(OK).out.split(), (4, 7)):
                assert uuid.UUID(text).version == version, text
                seen.add(text)
        assert len(seen) == 6
        assert s.request("pack", "--body", "abc").expect(OK).out == (
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        assert s.request("pack", "--body", "x" * 1001).expect(OK).out == "MessageTooLarge"


harness.main(globals())

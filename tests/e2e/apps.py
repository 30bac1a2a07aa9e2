#!/usr/bin/env python3
"""What apps decide beside answering: who may come in, who may do what, where messages go, and that they hear who came and went."""

import re
import signal

import harness
from harness import OK, PEER_FAILED, Server

TWO_WORKERS = ["--set", "server.workers=2"]
LUA_AUTH = ["--set", 'auth.mode="lua"', "--set", 'session.login_timeout="3s"']

GATE = """
local gw = require "godwit"
gw.authenticate(function(cred)
    if cred.token == "slow" then gw.sleep("200ms") end
    if cred.token == "never" then gw.sleep(60) end
    if cred.token == "broken" then error("the gate is broken") end
    if cred.token == "stolen" then return nil, "reported as stolen" end
    if not cred.token then return nil end
    return { uid = "user-" .. cred.token, groups = { "people" }, attributes = { role = cred.token } }
end)
gw.handle("whoami", function(msg, session)
    msg:reply(session.uid .. " " .. session:get("role") .. " " .. table.concat(session:groups(), ","))
end)
"""

RULES = """
local gw = require "godwit"
gw.authorize(function(session, action, target)
    if target.app == "admin" then return session.uid == "root", "root only" end
    return true
end)
"""
ADMIN = """
local gw = require "godwit"
gw.handle("admin.stop", function(msg) msg:reply("stopped") end)
gw.handle("event/admin.note", function(msg) end)
"""
ROUTES = """
local gw = require "godwit"
gw.route("v1.**", "**")
gw.route("pick", function(msg) return msg:body() end)
gw.handle("hello", function(msg) msg:reply("hello at " .. msg.action) end)
gw.handle("ping", function(msg) msg:forward("pong") end)
gw.handle("pong", function(msg) msg:forward("ping") end)
gw.handle("leaving", function(msg) error("no") end, { on_error = "close" })
"""
DOORMAN = """
local gw = require "godwit"
gw.on("session_created", function(ev) gw.kv.incr("created") ev.session:set("seen", true) end)
gw.on("session_closed", function(ev)
    gw.sleep("10ms")
    gw.log.info("left", { who = ev.session.uid, why = ev.name })
end)
gw.handle("seen", function(msg, session) msg:reply(tostring(session:get("seen")) .. " " .. gw.kv.get("created")) end)
"""


SETTINGS = """
local gw = require "godwit"
gw.handle("greet", function(msg) msg:reply(gw.config.greeting .. " " .. gw.limits().memory_max .. " " .. type(io)) end)
"""
SECTION = """
[app.greeter]
memory_max = "8MiB"
trust = "%s"
[app.greeter.config]
greeting = "%s"
"""


def test_an_app_has_settings_and_limits_of_its_own_which_a_reload_changes():
    with Server(apps={"greeter": SETTINGS}, config=SECTION % ("sandbox", "hello")) as server:
        assert server.request("greet").expect(OK).out == "hello 8388608 nil"
        server.write_config(SECTION % ("trusted", "good day"))
        server.process.send_signal(signal.SIGHUP)
        server.log.wait_for("app is trusted.*greeter@2")
        server.log.wait_for("app is live.*greeter@2")
        assert server.request("greet").expect(OK).out == "good day 8388608 table"


def test_a_crash_names_the_app_that_was_running():
    app = 'local gw = require "godwit"\ngw.handle("crash", function() require("ffi").cast("int*", 8)[0] = 1 end)\n'
    with Server(apps={"wild": app}, config='[app.wild]\ntrust = "trusted"\n') as server:
        harness.start("send", server.address, "crash", "--ca", server.certificate, "--timeout", "1s").communicate()
        assert server.process.wait(harness.PATIENCE_S) == -signal.SIGSEGV
        server.log.wait_for(r"godwit: app wild@1 was running when the process died by SIGSEGV")
    with Server() as server:
        server.process.send_signal(signal.SIGFPE)
        assert server.process.wait(harness.PATIENCE_S) == -signal.SIGFPE
        server.log.wait_for(r"godwit: no app and no plugin was running when the process died by SIGFPE")


def test_a_mistake_in_an_apps_section_names_its_place():
    with Server() as server:
        server.write_config("[app.echo]\nmemory_mx = 1\n")
        checked = harness.run("check", "-c", server.config_file, cwd=server.folder)
        assert checked.code != OK
        assert re.search(r"godwit.toml:\d+:1: unknown key 'memory_mx' in .app.echo.; did you mean 'memory_max'",
                         checked.out + checked.err), checked.out + checked.err


def test_an_app_decides_who_may_come_in_and_what_they_are():
    with Server(apps={"gate": GATE}, arguments=LUA_AUTH) as server:
        assert server.request("whoami", "--token", "admin").expect(OK).out == "user-admin admin people"
        assert server.request("whoami", "--token", "slow").expect(OK).out == "user-slow slow people"


def test_who_is_not_let_in_hears_one_word_and_the_log_has_the_reason():
    with Server(apps={"gate": GATE}, arguments=LUA_AUTH) as server:
        for token in ("stolen", "broken", "never"):
            refused = server.request("whoami", "--token", token)
            assert refused.code != OK and "Unauthenticated" in refused.err, (token, refused.err)
            assert "stolen" not in refused.err and "gate" not in refused.err, refused.err
        nobody = server.request("whoami")
        assert nobody.code != OK and "Unauthenticated" in nobody.err, nobody.err
        assert server.request("whoami", "--token", "admin").expect(OK).out == "user-admin admin people"
    log = server.log.rest()
    assert "reported as stolen" in log and "the gate is broken" in log and "gate@1" in log, log


def test_nobody_comes_in_when_no_app_decides():
    with Server(arguments=LUA_AUTH) as server:
        refused = server.request("echo", "--token", "x")
        assert refused.code != OK and "Unauthenticated" in refused.err, refused.err
    assert "nobody can come in" in server.log.rest()


def test_an_app_that_is_not_asked_lets_nobody_in():
    with Server(apps={"gate": GATE}) as server:
        assert server.request("whoami", "--token", "admin", "--uid", "ada").code != OK
    assert "is not asked" in server.log.rest()


def test_what_is_forbidden_is_refused_and_audited_and_all_else_goes_on():
    with Server(apps={"rules": RULES, "admin": ADMIN, "echo": harness.ECHO}, arguments=TWO_WORKERS) as server:
        assert server.request("admin.stop", "--uid", "root").expect(OK).out == "stopped"
        assert server.request("echo", "--uid", "eve", "--body", "x").expect(OK).out == "x"
        refused = server.request("admin.stop", "--uid", "eve").expect(PEER_FAILED)
        assert "Forbidden" in refused.err and "root only" not in refused.err, refused.err
        note = server.send("admin.note", "--uid", "eve")
        assert note.code != OK and "Forbidden" in note.err, note.err
        line = server.log.wait_for("message forbidden.*").group()
        assert "uid=eve" in line and "action=admin.stop" in line and "root only" in line, line


def test_messages_have_other_addresses_and_go_from_handler_to_handler():
    with Server(apps={"routes": ROUTES}) as server:
        assert server.request("v1.hello").expect(OK).out == "hello at v1.hello"
        assert server.request("pick", "--body", "hello").expect(OK).out == "hello at hello"
        assert "HandlerNotFound" in server.request("pick", "--body", "nobody").expect(PEER_FAILED).err
        assert "ActionInvalid" in server.request("pick", "--body", "..").expect(PEER_FAILED).err
        assert "ForwardLimit" in server.request("ping").expect(PEER_FAILED).err
        harness.wait_until(lambda: re.search(r'messages_dropped_total{.*reason="loop".*} 1\n', server.get("/metrics")[1]))


def test_a_handler_may_close_the_session_that_made_it_fail():
    with Server(apps={"routes": ROUTES, "doorman": DOORMAN}) as server:
        listener = harness.start("listen", server.address, "--ca", server.certificate, "--uid", "eve",
                                 "--first", "leaving=now")
        assert listener.wait(harness.PATIENCE_S) != OK
        server.log.wait_for("left.*who=eve")


def test_apps_hear_who_came_before_the_first_message_and_who_went():
    with Server(apps={"doorman": DOORMAN}, arguments=TWO_WORKERS) as server:
        for count in range(1, 6):
            assert server.request("seen", "--uid", f"user-{count}").expect(OK).out == f"true {count}"
            server.log.wait_for(f"left.*who=user-{count}")


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""Scripts and configuration change while the server runs."""

import json
import os
import signal

import harness
from harness import OK, PEER_FAILED, Server

ANSWER = """
local gw = require "godwit"
gw.handle("answer", function(msg) msg:reply("%s") end)
"""
BROKEN = """
local gw = require "godwit"
gw.handle("answer", function(msg) msg:reply("broken")
"""
STRAY = """
local gw = require "godwit"
gw.handle("not..allowed", function() end)
"""


def answer(server):
    return server.request("answer").expect(OK).out


def test_saving_a_script_changes_the_next_answer():
    with Server({"app": ANSWER % "first"}) as server:
        assert answer(server) == "first"
        for generation, text in enumerate(["second", "third"], start=2):
            server.write_app("app", ANSWER % text)
            server.log.wait_for(rf"app is live .*app@{generation}")
            assert answer(server) == text


def test_a_broken_script_leaves_the_old_one_serving_and_says_where():
    with Server({"app": ANSWER % "works"}) as server:
        for text, place in [(BROKEN, r"main\.lua:\d+"), (STRAY, r"main\.lua:3")]:
            server.write_app("app", text)
            server.log.wait_for(r"app not reloaded.*" + place)
            assert answer(server) == "works"
        server.write_app("app", ANSWER % "mended")
        server.log.wait_for(r"app is live .*app@")
        assert answer(server) == "mended"


def test_what_is_no_file_in_place_of_a_script_leaves_the_old_one_serving():
    with Server({"app": ANSWER % "works"}) as server:
        main = server.folder / "scripts" / "app" / "main.lua"
        for put in [lambda: main.symlink_to("nowhere"), lambda: main.symlink_to("main.lua"), lambda: os.mkfifo(main),
                    lambda: main.symlink_to("/dev/zero"), main.mkdir]:
            # For a moment nothing is there: the server does not look meanwhile.
            server.process.send_signal(signal.SIGSTOP)
            main.unlink()
            put()
            server.process.send_signal(signal.SIGCONT)
            server.log.wait_for(r"app not reloaded.*app/main\.lua: is not a regular file")
            assert answer(server) == "works"
        assert not any("app removed" in line for line in server.log.seen)


def test_a_script_that_binds_nothing_does_not_replace_one_that_does():
    with Server({"app": ANSWER % "works"}) as server:
        server.write_app("app", 'local gw = require "godwit"\n')
        server.log.wait_for(r"app not reloaded.*ScriptLoadFailed.*app/main\.lua: binds nothing")
        assert answer(server) == "works"
        server.write_app("app", 'require("godwit").every(3600, function() end)\n')
        server.log.wait_for(r"app is live .*app@3")


def health(server):
    return json.loads(server.get("/health")[1])


def expect_degraded(server, words):
    harness.wait_until(lambda: words in health(server)["degraded"])
    assert health(server)["status"] == "degraded" and server.get("/health")[0] == 503


def test_health_says_what_keeps_the_newest_configuration_or_certificate_from_being_in_force():
    with Server() as other, Server() as identity:
        files = [identity.certificate, identity.certificate.with_name("dev-key.pem")]
        settings = ["--set", f'tls.certificate="{files[0]}"', "--set", f'tls.key="{files[1]}"']
        with Server({"app": ANSWER % "here"}, arguments=settings) as server:

            def hangup():
                server.process.send_signal(signal.SIGHUP)

            assert health(server) | {"status": "ok", "degraded": ""} == health(server)
            good = files[1].read_text()
            files[1].write_text(other.certificate.with_name("dev-key.pem").read_text())
            hangup()
            expect_degraded(server, "this key does not belong to the certificate")
            server.write_config("workers = [")
            hangup()
            expect_degraded(server, "godwit.toml:")
            assert "this key does not belong" in health(server)["degraded"]
            server.write_config("")
            hangup()
            harness.wait_until(lambda: "godwit.toml" not in health(server)["degraded"])
            files[1].write_text(good)
            chain = files[0].read_text()
            files[0].write_text("")
            hangup()
            expect_degraded(server, "no certificate in PEM form")
            files[0].write_text(chain)
            hangup()
            harness.wait_until(lambda: health(server)["status"] == "ok")


def test_a_changed_module_changes_the_next_answer_and_an_emptied_script_changes_nothing():
    app = 'local words = require("words")\n' + ANSWER.replace('"%s"', "words.answer")
    with Server({"app": ANSWER % "alone"}) as server:
        words = server.folder / "scripts" / "app" / "lib" / "words.lua"
        words.parent.mkdir()
        words.write_text('return { answer = "first" }')
        server.write_app("app", app)
        harness.wait_until(lambda: answer(server) == "first")
        fresh = words.with_suffix(".new")
        fresh.write_text('return { answer = "second" }')
        fresh.rename(words)
        harness.wait_until(lambda: answer(server) == "second")
        server.write_app("app", "")
        server.log.wait_for(r"app not reloaded.*main\.lua: is empty")
        assert answer(server) == "second"


def test_whatever_takes_a_scripts_place_the_old_one_serves_on_and_the_log_says_it_once():
    with Server({"app": ANSWER % "first"}) as server:
        main = server.folder / "scripts" / "app" / "main.lua"
        for broken, said in [(b"", "main.lua"), (b"gw.handle(", "main.lua:1:"), (b"\x1bLJ\x02\n", "main.lua"), (b"\xff\xfe", "main.lua")]:
            main.write_bytes(broken)
            before = len([line for line in server.log.seen if "not reloaded" in line])
            server.log.wait_for(rf"not reloaded.*{said}")
            assert answer(server) == "first"
            assert len([line for line in server.log.seen if "not reloaded" in line]) == before + 1
        server.write_app("app", ANSWER % "second")
        harness.wait_until(lambda: answer(server) == "second")


def test_without_watching_only_sighup_reloads():
    with Server({"app": ANSWER % "first"}, arguments=["--set", 'scripts.reload="manual"']) as server:
        server.write_app("app", ANSWER % "second")
        assert answer(server) == "first"
        server.process.send_signal(signal.SIGHUP)
        server.log.wait_for(r"app is live .*app@")
        assert answer(server) == "second"


def test_apps_come_and_go():
    with Server({"app": ANSWER % "here"}) as server:
        server.request("more").expect(PEER_FAILED)
        server.write_app("more", 'require("godwit").handle("more", function(msg) msg:reply("more") end)\n')
        server.log.wait_for(r"app is live .*more@")
        assert server.request("more").expect(OK).out == "more"
        (server.folder / "scripts" / "more" / "main.lua").unlink()
        server.log.wait_for(r"app removed .*more")
        assert "HandlerNotFound" in server.request("more").expect(PEER_FAILED).err
        assert answer(server) == "here"


def test_sighup_reloads_the_configuration_and_says_what_became_of_each_key():
    with Server({"app": ANSWER % "here"}) as server:
        server.write_config("drain_timeout = \"3s\"\n[log]\nlevel = \"debug\"\n[message]\npromise_max = 777")
        server.process.send_signal(signal.SIGHUP)
        server.log.wait_for(r"log\.level")
        server.write_config("drain_timeout = \"3 parsecs\"")
        server.process.send_signal(signal.SIGHUP)
        server.log.wait_for(r"configuration not reloaded.*godwit\.toml:\d+:\d+")
        assert answer(server) == "here"


def test_no_request_fails_while_scripts_are_reloaded():
    with Server() as server:
        load = harness.start("bench", server.address, "--ca", server.certificate, "--duration", "10m", "--in-flight", "32",
                             "--json")
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") > 0)
        for generation in range(2, 7):
            server.write_app("echo", harness.ECHO + f"-- {generation}\n")
            server.log.wait_for(rf"app is live .*echo@{generation}")
        result = harness.end_load(load).expect(OK).json
        assert result["failed"] == 0 and result["ok"] == result["sent"] > 100, result


if __name__ == "__main__":
    harness.main(globals())

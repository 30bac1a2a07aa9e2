#!/usr/bin/env python3
"""Operators and the admin socket: godwit script, plugin and reload against a running server."""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess

import harness
from harness import OK, PEER_FAILED, UNREACHABLE, USAGE, Server

ANSWER = """
local gw = require "godwit"
gw.handle("answer", function(msg) msg:reply("%s") end)
"""
BROKEN = """
local gw = require "godwit"
gw.handle("answer", function(msg) msg:reply("broken")
"""
FAILING = """
local gw = require "godwit"
gw.handle("answer", function(msg) error("no") end)
"""
MANUAL = ["--set", 'scripts.reload="manual"']


def server(apps=None, *settings, config=""):
    arguments = [*MANUAL]
    for setting in settings:
        arguments += ["--set", setting]
    return Server(apps or {"app": ANSWER % "first"}, config=config, arguments=arguments)


def socket_of(server):
    return server.folder / "data" / "admin.socket"


def control(server, *arguments, **options):
    return harness.run(*arguments, "--socket", socket_of(server), **options)


def answer(server):
    return server.request("answer").expect(OK).out


def ask(server, line):
    """One line to the socket itself, and what comes back; nothing, when the server hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(harness.PATIENCE_S)
        connection.connect(str(socket_of(server)))
        received = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(line)
            while piece := connection.recv(65536):
                received += piece
                if received.endswith(b"\n"):
                    break
        return received.decode()


@contextlib.contextmanager
def somebody_else():
    """This process without its rights; only root can give them up and have them back."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_ls_and_show_tell_what_is_loaded():
    with server({"app": ANSWER % "first", "other": 'require("godwit").handle("other", function() end)\n'}) as s:
        rows = control(s, "script", "ls", "--json").expect(OK).json["result"]
        assert [(row["name"], row["generation"], row["state"]) for row in rows] == [
            ("app", 1, "live"), ("other", 1, "live")], rows
        assert re.search(r"app +1 live", control(s, "script", "ls").expect(OK).out)
        shown = control(s, "script", "show", "app", "--json").expect(OK).json["result"]
        assert shown["handlers"] == [{"pattern": "answer", "where": "main.lua:3"}], shown
        assert "main.lua:3" in control(s, "script", "show", "app").expect(OK).out
        assert control(s, "plugin", "ls", "--json").expect(OK).json["result"] == []


def test_reload_by_name_takes_the_files_live_and_says_so():
    with server() as s:
        s.write_app("app", ANSWER % "second")
        assert answer(s) == "first"
        assert control(s, "reload", "app").expect(OK).out.strip() == "app@2 live"
        assert answer(s) == "second"
        result = control(s, "script", "reload", "app", "--json").expect(OK).json["result"]
        assert result["outcome"] == "unchanged" and result["generation"] == 2, result


def test_a_broken_script_reaches_the_caller_with_its_place_and_the_old_one_serves_on():
    with server(None, "server.workers=2") as s:
        s.write_app("app", BROKEN)
        refused = control(s, "reload", "app").expect(PEER_FAILED)
        assert re.search(r"app/main\.lua:\d+", refused.err), refused.err
        assert "worker 1: app/main.lua:" in refused.out, refused.out
        assert refused.out.startswith("app refused; app@1 serves on\n"), refused.out
        result = control(s, "script", "reload", "app", "--json").expect(PEER_FAILED).json
        assert result["error"]["name"] == "ScriptLoadFailed"
        assert [worker["ok"] for worker in result["result"]["workers"]] == [False, False]
        assert answer(s) == "first"
        row = control(s, "script", "ls", "--json").expect(OK).json["result"][0]
        assert row["generation"] == 1 and "main.lua" in row["complaint"], row


def test_reload_of_everything_finds_new_apps_and_loses_removed_ones():
    with server() as s:
        s.write_app("more", 'require("godwit").handle("more", function(msg) msg:reply("more") end)\n')
        out = control(s, "reload").expect(OK).out
        assert "more@1 live" in out and "app@1 unchanged" in out, out
        assert s.request("more").expect(OK).out == "more"
        (s.folder / "scripts" / "more" / "main.lua").unlink()
        assert "more@0 stopped" in control(s, "reload").expect(OK).out
        s.request("more").expect(PEER_FAILED)
        assert len(control(s, "script", "ls", "--json").expect(OK).json["result"]) == 1


def test_rollback_goes_back_and_the_files_are_not_taken_again_until_named():
    with server() as s:
        s.write_app("app", ANSWER % "second")
        control(s, "reload", "app").expect(OK)
        assert control(s, "script", "rollback", "app").expect(OK).out.strip() == "app@1 rolled_back"
        assert answer(s) == "first"
        assert "app@1 held_back" in control(s, "reload").expect(OK).out
        assert answer(s) == "first"
        refused = control(s, "script", "rollback", "app").expect(PEER_FAILED)
        assert "no earlier version" in refused.err
        control(s, "reload", "app").expect(OK)
        assert answer(s) == "second"


def test_rollback_after_probation_builds_the_version_before_again():
    with server(None, 'scripts.probation="0s"') as s:
        s.write_app("app", ANSWER % "second")
        control(s, "reload", "app").expect(OK)
        assert control(s, "script", "rollback", "app").expect(OK).out.strip() == "app@3 rolled_back"
        assert answer(s) == "first"


def test_a_version_that_fails_on_probation_is_rolled_back_by_itself():
    with server(None, "scripts.rollback_errors=5") as s:
        s.write_app("app", FAILING)
        control(s, "reload", "app").expect(OK)
        assert control(s, "script", "ls", "--json").expect(OK).json["result"][0]["on_probation"]
        for _ in range(5):
            s.request("answer").expect(PEER_FAILED)
        s.log.wait_for(r"app failed on probation.*app@1.*app@2: 5 of 5 messages failed")
        assert answer(s) == "first"
        assert not control(s, "script", "ls", "--json").expect(OK).json["result"][0]["on_probation"]


def test_disable_takes_out_of_service_until_enable():
    with server() as s:
        control(s, "script", "disable", "app").expect(OK)
        assert "HandlerNotFound" in s.request("answer").expect(PEER_FAILED).err
        assert control(s, "script", "ls", "--json").expect(OK).json["result"][0]["state"] == "disabled"
        s.write_app("app", ANSWER % "second")
        control(s, "reload", "app").expect(PEER_FAILED)
        control(s, "script", "enable", "app").expect(OK)
        assert answer(s) == "second"


def test_reloads_and_rollbacks_under_load_lose_nothing():
    with server({"echo": harness.ECHO}, "server.workers=2") as s:
        load = harness.start("bench", s.address, "--ca", s.certificate, "--duration", "10m", "--rate", "1000",
                             "--clients", "4", "--json")
        harness.wait_until(lambda: s.metric("godwit_messages_received_total") > 0)
        for number in range(1, 51):
            s.write_app("echo", harness.ECHO + f"-- {number}\n")
            control(s, "reload", "echo").expect(OK)
            if number % 5 == 0:
                control(s, "script", "rollback", "echo").expect(OK)
        assert s.metric("godwit_connections_closed_total") == 0
        result = harness.end_load(load).expect(OK).json
        assert result["failed"] == 0 and result["ok"] == result["sent"] > 50, result


def test_eval_is_off_unless_allowed_and_leaves_a_trace():
    with server() as s:
        refused = control(s, "script", "eval", "app", "-e", "1 + 1").expect(PEER_FAILED)
        assert "admin.eval" in refused.err
        s.log.wait_for(rf"admin request.*script\.eval.*Forbidden.*uid={os.getuid()}")
    with server(None, "admin.eval=true") as s:
        assert control(s, "script", "eval", "app", "-e", "1 + 1").expect(OK).out.strip() == "2"
        s.log.wait_for(r"admin request.*script\.eval.*ok.*sha256=[0-9a-f]{64}.*1 \+ 1")
        assert control(s, "script", "eval", "app", "-e", "local t = {a = {1, 2}} return t").expect(OK).out.strip() == \
            "{a = {[1] = 1, [2] = 2}}"
        for code, text in [("error('oh')", "oh"), ("return )", "typed"), ("while true do end", "ScriptTimeout"),
                           ("os.execute('id')", "nil")]:
            assert text in control(s, "script", "eval", "app", "-e", code).expect(PEER_FAILED).err
        control(s, "script", "eval", "app", "-e", "1", "--worker", "7").expect(PEER_FAILED)
        assert answer(s) == "first"


def test_names_that_nobody_has_are_told_apart_from_servers_that_are_not_there():
    with server() as s:
        for verb in (["reload", "ghost"], ["script", "show", "ghost"], ["script", "rollback", "ghost"],
                     ["script", "disable", "ghost"], ["plugin", "reload", "ghost"], ["plugin", "load", "ghost"]):
            assert "UnitUnknown" in control(s, *verb).expect(PEER_FAILED).err
        assert "UnitUnknown" in control(s, "plugin", "reload", "app").expect(PEER_FAILED).err
        harness.run("script", "ls", "--socket", s.folder / "nothing").expect(UNREACHABLE)
        harness.run("script").expect(USAGE)
        harness.run("script", "reload", "--socket", socket_of(s)).expect(USAGE)


def test_the_socket_is_its_owners_alone_and_goes_with_the_server():
    with server() as s:
        path = socket_of(s)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        harness.run("script", "ls", "-c", s.config_file, cwd=s.folder).expect(OK)
        if os.getuid() == 0:
            path.chmod(0o666)
            for folder in (s.folder, s.folder / "data"):
                folder.chmod(0o755)
            with somebody_else():
                assert ask(s, b'{"verb":"script.ls"}\n') == ""
            s.log.wait_for(r"a process of another user was turned away.*uid=65534")
        assert s.stop() == OK
        assert not path.exists()


def test_noise_on_the_socket_is_answered_or_cut_off_and_never_harms():
    with server() as s:
        for line in (b"\n", b"hello\n", b"[]\n", b'{"verb":7}\n', b'{"verb":"script.explode","name":"app"}\n',
                     b'{"verb":"script.show","name":"app","worker":-1}\n', b"\xff\xfe\n", b"[" * 60_000 + b"\n"):
            assert json.loads(ask(s, line))["ok"] is False, line
        assert ask(s, b"x" * 100_000 + b"\n") == ""
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for connection in waiting:
            connection.connect(str(socket_of(s)))
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):  # turned away already
                connection.sendall(b'{"verb":')
        s.log.wait_for("too many connections")
        for connection in waiting:
            connection.close()
        assert answer(s) == "first"
        harness.wait_until(lambda: control(s, "script", "ls").code == OK)


def test_two_servers_do_not_share_a_socket_and_a_dead_ones_is_replaced():
    with server() as s:
        second = harness.run("serve", "--dev", "-c", s.config_file, cwd=s.folder)
        second.expect(USAGE)
        assert "admin.socket" in second.err and "another server" in second.err
        s.process.kill()
        s.process.wait()
        assert socket_of(s).exists()
        again = subprocess.Popen([harness.GODWIT, "serve", "--dev", "-c", s.config_file], cwd=s.folder,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert again.stdout.readline().startswith("godwit ready")
        control(s, "script", "ls").expect(OK)
        again.terminate()
        assert again.wait(harness.PATIENCE_S) == OK
        again.stdout.close()


if __name__ == "__main__":
    harness.main(globals())

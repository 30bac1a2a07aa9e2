#!/usr/bin/env python3
"""Starting and stopping: the ready line, what keeps a server from starting, and going down with work in hand."""

import pathlib
import re
import signal
import time
import socket
import tempfile

import harness
from harness import OK, PEER_FAILED, USAGE, Server, finish, run

SLOW = harness.SPIN + """
local gw = require "godwit"
gw.handle("slow", function(msg)
  spin(2)
  msg:reply("done")
end)
"""
# Nearly a second of work for those who ask 900 times, or much more.
BUSY = harness.SPIN + """
local gw = require "godwit"
gw.handle("busy", function(msg)
  gw.log.info("working")
  spin(0.2)
  msg:reply("done")
end)
"""
PATIENT = ["--set", 'scripts.burst_max="20s"']


def refused(*arguments, config=""):
    """A server that must not start: its exit, with what it said."""
    server = Server(config=config, arguments=arguments)
    code = server.process.wait(harness.PATIENCE_S)
    said, out = server.log.rest(), server.out.rest()
    server.__exit__(None)
    assert code == USAGE and "godwit ready" not in out, (code, said, out)
    return said


def test_the_ready_line_names_every_address():
    with Server(arguments=["--set", 'server.listen=["127.0.0.1:0", "[::1]:0"]']) as server:
        line = server.out.seen[-1]
        assert re.fullmatch(r"godwit ready quic=127\.0\.0\.1:\d+,\[::1\]:\d+ admin=127\.0\.0\.1:\d+( \S+=\S+)*", line), line
        for address in server.address.split(","):
            assert run("request", address, "echo", "--body", "hi", "--ca", server.certificate).expect(OK).out == "hi"


def test_the_admin_plane_can_be_off():
    with Server(arguments=["--set", 'admin.http="off"']) as server:
        assert server.admin == "off"
        server.request("echo").expect(OK)


def test_two_workers_share_a_port():
    with Server(arguments=["--set", "server.workers=2"]) as server:
        result = server.bench("--clients", "8", "--count", "800", "--in-flight", "4").expect(OK).json
        assert result["ok"] == 800, result


def test_a_wrong_configuration_exits_2_with_every_place():
    said = refused(config='drain_timeout = "soon"\n[log]\nlevle = "info"\nformat = 7\n')
    assert "ConfigInvalid (8001)" in said
    for place, words in [(r"godwit\.toml:\d+:\d+", "drain_timeout"), (r"godwit\.toml:\d+:\d+", "did you mean"),
                         (r"godwit\.toml:\d+:\d+", "format")]:
        assert re.search(place + ".*" + words, said), (words, said)
    assert "nonsense" in refused("--set", "server.nonsense=1")


def test_a_configuration_that_is_not_there_exits_2():
    assert "FileUnreadable" in run("serve", "-c", "/nonexistent.toml").expect(USAGE).err


def test_without_a_certificate_only_dev_starts():
    server = Server(dev=False)
    assert server.process.wait(harness.PATIENCE_S) == USAGE
    said = server.log.rest()
    server.__exit__(None)
    assert "--dev" in said and "CertificateInvalid" in said, said


def test_a_port_in_use_is_a_clear_error():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        said = refused("--set", f'server.listen="127.0.0.1:{port}"')
    assert "SocketFailed (1008)" in said and str(port) in said and "in use" in said, said
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused("--set", f'admin.http="127.0.0.1:{port}"')
    assert str(port) in said and "in use" in said, said


def test_a_script_that_does_not_load_keeps_the_server_from_starting():
    server = Server({"app": "this is no Lua\n"})
    assert server.process.wait(harness.PATIENCE_S) == USAGE
    said = server.log.rest()
    server.__exit__(None)
    assert re.search(r"main\.lua:1", said) and "ScriptLoadFailed" in said, said


def test_check_lists_all_mistakes_of_configuration_and_scripts():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        config = folder / "godwit.toml"
        app = folder / "scripts" / "app"
        app.mkdir(parents=True)
        (app / "main.lua").write_text(SLOW)
        config.write_text(f'[scripts]\npaths = ["{folder}/scripts"]\n')
        run("check", "-c", config, cwd=folder).expect(OK)
        (app / "main.lua").write_text("end\n")
        assert "main.lua:1" in run("check", "-c", config, cwd=folder).expect(USAGE).err
        config.write_text("[server]\nworkers = -1\nlisten = 5\n")
        said = run("check", "-c", config, cwd=folder).expect(USAGE).err
        assert "godwit.toml:2:" in said and "godwit.toml:3:" in said, said


def test_sigterm_and_ctrl_c_end_an_idle_server_with_exit_0():
    for with_signal in [signal.SIGTERM, signal.SIGINT]:
        with Server() as server:
            assert server.stop(with_signal) == 0


def test_what_is_in_flight_is_answered_before_the_server_goes():
    with Server({"app": SLOW}, arguments=PATIENT) as server:
        waiting = [server.start_request("slow", "--timeout", "20s") for _ in range(4)]
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") >= len(waiting))
        assert server.stop() == 0
        for request in waiting:
            assert finish(request).expect(OK).out == "done"


def test_what_cannot_be_answered_in_time_has_a_definite_code():
    with Server({"app": BUSY}, config='drain_timeout = "10ms"') as server:
        load = harness.start("bench", server.address, "--ca", server.certificate, "--action", "busy", "--no-verify",
                             "--in-flight", "900", "--count", "900", "--timeout", "20s", "--json")
        server.log.wait_for("working")
        assert server.stop() == 0
        ended = finish(load)
        result = ended.json
        assert result["failed"] > 0 and result["ok"] + result["failed"] >= 900, result
        # Told by the server, not found out by waiting.
        assert "4003" not in result["errors"] and ended.code != OK, result


def test_clients_are_told_when_the_server_goes():
    with Server() as server:
        idle = harness.start("bench", server.address, "--ca", server.certificate, "--pattern", "idle", "--clients", "3",
                             "--duration", "20s", "--json")
        harness.wait_until(lambda: server.metric("godwit_sessions") == 3)
        assert server.stop() == 0
        harness.wait_until(lambda: idle.poll() is not None or server.process.poll() is not None)
        idle.send_signal(signal.SIGINT)
        result = finish(idle).expect(PEER_FAILED).json
        assert result["failed"] == 3 and set(result["errors"]) <= {"1011", "2008"}, result


STUCK = """
local gw = require "godwit"
gw.handle("stick", function() os.execute("sleep 60") end)
gw.handle("echo", function(msg) msg:reply(msg:body()) end)
"""


def test_a_server_whose_worker_is_stuck_stops_when_it_is_told_to():
    with Server({"stuck": STUCK}, '[app.stuck]\ntrust = "trusted"\n', ["--set", 'server.drain_timeout="100ms"']) as server:
        asking = server.start_request("stick")
        server.request("echo", "--timeout", "300ms")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(harness.PATIENCE_S) == 1
        assert 4 < time.monotonic() - began < 20
        assert "a worker is stuck" in server.log.rest()
        asking.kill()
        asking.communicate()


def test_three_signals_end_a_stuck_server_at_once():
    with Server({"stuck": STUCK}, '[app.stuck]\ntrust = "trusted"\n') as server:
        asking = server.start_request("stick")
        server.request("echo", "--timeout", "300ms")
        for _ in range(3):
            server.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert server.process.wait(5) == 1
        asking.kill()
        asking.communicate()


def test_a_signal_that_comes_before_the_server_is_ready_is_heard_when_it_is():
    slow = "local sum = 0 for i = 1, 3e8 do sum = sum + i % 7 end\n" + harness.ECHO
    server = Server({"slow": slow})
    try:
        server.log.wait_for("host gives less|self-signed certificate made")
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(harness.PATIENCE_S) == 0
        assert "godwit ready" in server.out.rest()
    finally:
        server.__exit__(None)


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""Requests and events from the command: answers, failures, exit codes, and servers that are not there."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

import harness
from harness import INTERRUPTED, OK, PEER_FAILED, UNREACHABLE, USAGE, Server, finish, run

APP = harness.SPIN + """
local gw = require "godwit"
gw.handle("echo", function(msg) msg:reply(msg:body()) end)
gw.handle("query/kind", function(msg) msg:reply("asked") end)
gw.handle("command/kind", function(msg) msg:reply("told") end)
gw.handle("who", function(msg, session) msg:reply(session.client_id .. "/" .. (session.uid or "nobody")) end)
gw.handle("headers", function(msg) msg:reply(msg.headers.color or "none", { shade = "dark" }) end)
gw.handle("refuse", function(msg) msg:fail("Forbidden", "not today") end)
gw.handle("silent", function() end)
gw.handle("wait", function()
  gw.log.info("waiting")
  local _, err = pcall(gw.sleep, 20)
  gw.log.info("ended with " .. err.name)
  error(err)
end)
gw.handle("slow", function(msg)
  gw.log.info("working")
  spin(100)
  msg:reply("late")
end)
gw.handle("stuck", function()
  gw.log.info("working")
  while true do end
end)
"""


def app_server(*settings):
    return Server({"app": APP}, arguments=[part for setting in settings for part in ("--set", setting)])


def patient_server():
    """Lets a handler run for so long that a test can be sure to interrupt it."""
    return app_server('scripts.burst_max="20s"')


def test_a_request_prints_the_reply_as_it_is():
    with app_server() as server:
        for body in ["hello", "", "two\nlines\n", "ünïcödé"]:
            answer = server.request("echo", "--body", body).expect(OK)
            assert answer.out == body and answer.err == ""


def test_bodies_come_from_files_and_standard_input_byte_for_byte():
    binary = os.urandom(70_000)
    with app_server() as server, tempfile.NamedTemporaryFile() as file:
        file.write(binary)
        file.flush()
        command = [harness.GODWIT, "request", server.address, "echo", "--ca", server.certificate, "--body"]
        from_file = subprocess.run([*command, "@" + file.name], capture_output=True, timeout=harness.PATIENCE_S)
        assert from_file.stdout == binary, from_file.stderr
        piped = subprocess.run([*command, "-"], input=binary, capture_output=True, timeout=harness.PATIENCE_S)
        assert piped.stdout == binary, piped.stderr
        assert server.request("echo", "--body", "@" + file.name, "--json").expect(OK).json["body_hex"] == binary.hex()


def test_json_has_status_code_text_body_and_round_trip_time():
    with app_server() as server:
        good = server.request("echo", "--body", "hi", "--json").expect(OK).json
        assert (good["status"], good["code"], good["text"], good["body"]) == ("success", 0, "", "hi")
        assert 0 < good["rtt_us"] < 5_000_000
        bad = server.request("refuse", "--json").expect(PEER_FAILED).json
        assert (bad["status"], bad["code"], bad["name"], bad["text"]) == ("failure", 6002, "Forbidden", "not today")


def test_kind_headers_and_identity_reach_the_handler():
    with app_server() as server:
        assert server.request("kind").expect(OK).out == "told"
        assert server.request("kind", "--kind", "query").expect(OK).out == "asked"
        assert server.request("who", "--client-id", "me", "--uid", "ada").expect(OK).out == "me/ada"
        answer = server.request("headers", "--header", "a=b", "--header", "color=red=ish", "--json").expect(OK).json
        assert answer["body"] == "red=ish" and answer["headers"] == {"shade": "dark"}


def test_failures_of_the_peer_exit_1_with_code_name_and_advice():
    with app_server() as server:
        for action, code in [("nobody.home", "HandlerNotFound (4001)"), ("refuse", "Forbidden (6002)"),
                             ("silent", "NoReply (4007)")]:
            failed = server.request(action).expect(PEER_FAILED)
            assert code in failed.err and failed.out == "", failed.err
        assert "gw.handle" in server.request("nobody.home").err


def test_an_event_is_acknowledged_or_refused():
    with app_server() as server:
        assert server.send("echo", "--body", "hello").expect(OK).out == ""
        assert "HandlerNotFound" in server.send("nobody.home").expect(PEER_FAILED).err


def test_what_may_not_be_sent_is_refused_here_with_exit_2():
    with app_server() as server:
        assert "ActionInvalid (4008)" in server.request("a" * 300).expect(USAGE).err
        assert "MessageTooLarge (4004)" in server.request("echo", "--body", "-", stdin="x" * (1 << 20) + "x").expect(USAGE).err


def test_a_body_of_one_mebibyte_comes_back():
    with app_server() as server:
        assert server.request("echo", "--body", "-", stdin="x" * (1 << 20)).expect(OK).out == "x" * (1 << 20)


def test_a_certificate_that_nobody_vouches_for_is_refused_by_default():
    with app_server() as server:
        failed = run("request", server.address, "echo").expect(UNREACHABLE)
        assert "CertificateUntrusted (1009)" in failed.err and "--ca" in failed.err
        trusting = run("request", server.address, "echo", "--body", "hi", "--insecure").expect(OK)
        assert trusting.out == "hi" and "warning: --insecure" in trusting.err


def test_a_certificate_for_another_name_is_refused():
    with app_server() as server:
        # The certificate names localhost, 127.0.0.1 and ::1; all of 127.0.0.0/8 leads to the server of 0.0.0.0.
        failed = run("request", f"127.0.0.2:{server.port}", "echo", "--ca", server.certificate, "--timeout", "2s")
        failed.expect(UNREACHABLE)
    with app_server('server.listen="0.0.0.0:0"') as server:
        failed = run("request", f"127.0.0.2:{server.port}", "echo", "--ca", server.certificate).expect(UNREACHABLE)
        assert "CertificateUntrusted" in failed.err, failed.err
        run("request", f"localhost:{server.port}", "echo", "--ca", server.certificate).expect(OK)


def test_another_protocol_is_refused():
    with app_server() as server:
        probe = subprocess.run([os.environ["ALPN_PROBE"], server.address], capture_output=True, text=True,
                               timeout=harness.PATIENCE_S)
        assert probe.returncode == 0 and "refused" in probe.stdout, probe.stdout + probe.stderr
        server.request("echo").expect(OK)


def test_a_server_that_is_not_there_is_a_definite_error_within_the_timeout():
    failed = run("request", f"127.0.0.1:{harness.free_udp_port()}", "echo", "--insecure", "--timeout", "700ms").expect(UNREACHABLE)
    assert "ConnectTimeout (1001)" in failed.err
    assert 0.6 < failed.seconds < 5, failed.seconds
    unknown = run("request", "no-such-host.invalid:1", "echo", "--insecure", "--timeout", "10s").expect(UNREACHABLE)
    assert "no-such-host.invalid" in unknown.err


def test_where_tokens_are_asked_for_only_their_owners_come_in():
    with tempfile.TemporaryDirectory() as scratch:
        tokens, mine = pathlib.Path(scratch, "tokens.toml"), pathlib.Path(scratch, "token")
        tokens.write_text('[tokens]\n"open sesame" = "ada"\n')
        mine.write_text("open sesame\n")
        tokens.chmod(0o600)
        with app_server('auth.mode="token"', f'auth.tokens_file="{tokens}"') as server:
            assert server.request("who", "--client-id", "me", "--token", "open sesame").expect(OK).out == "me/ada"
            assert server.request("who", "--client-id", "me", "--token-file", mine).expect(OK).out == "me/ada"
            for wrong in [[], ["--token", "open barley"], ["--token", "open sesame", "--uid", "bob"]]:
                refused = server.request("who", "--client-id", "me", *wrong).expect(UNREACHABLE)
                assert "Unauthenticated (6001)" in refused.err, refused.err


def test_no_answer_in_time_exits_3():
    for verb in [Server.request, Server.send]:
        with patient_server() as server:
            failed = verb(server, "stuck", "--timeout", "1s").expect(UNREACHABLE)
            assert "DeadlineExceeded (4003)" in failed.err


def test_names_that_do_not_say_what_they_look_like_are_refused():
    with app_server() as server:
        for flag in ["--client-id", "--uid"]:
            for name in ["gpj\u202eexe", "a\u009b31m", "a\nb"]:
                refused = server.request("who", flag, name).expect(UNREACHABLE)
                assert "IdentityInvalid (6003)" in refused.err, refused.err
        assert "ActionInvalid (4008)" in server.request("on\u202eyas").expect(PEER_FAILED).err
        assert "HeadersInvalid (4009)" in server.request("echo", "--header", "a\u0085=b").expect(USAGE).err


def test_a_server_killed_while_it_works_is_a_definite_error_within_the_timeout():
    with patient_server() as server:
        waiting = server.start_request("stuck", "--timeout", "2s", "--json")
        server.log.wait_for("working")
        server.process.kill()
        began = time.monotonic()
        failed = finish(waiting).expect(UNREACHABLE)
        assert time.monotonic() - began < 8
        assert failed.json["status"] != "success" and failed.json["code"] in (1002, 1013, 4003), failed.out


def test_ctrl_c_ends_a_request_in_good_order():
    with patient_server() as server:
        waiting = server.start_request("slow", "--timeout", "20s")
        server.log.wait_for("working")
        server.process.send_signal(signal.SIGSTOP)  # so that it cannot be quicker
        waiting.send_signal(signal.SIGINT)
        ended = finish(waiting).expect(INTERRUPTED)
        assert "Cancelled (4006)" in ended.err
        server.process.send_signal(signal.SIGCONT)
        # The goodbye arrived: nobody waits for an idle timeout.
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)


def test_ctrl_c_stops_the_handler_that_waits():
    with app_server() as server:
        waiting = server.start_request("wait", "--timeout", "20s")
        server.log.wait_for("waiting")
        began = time.monotonic()
        waiting.send_signal(signal.SIGINT)
        server.log.wait_for("ended with Cancelled")
        assert time.monotonic() - began < 2
        finish(waiting).expect(INTERRUPTED)
        assert server.metric("godwit_handlers_cancelled_total") == 1


if __name__ == "__main__":
    harness.main(globals())

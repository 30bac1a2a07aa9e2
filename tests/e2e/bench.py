#!/usr/bin/env python3
"""The load generator: its figures have the promised shape, and it believes no wrong answer."""

import signal
import threading

import harness
from harness import OK, PEER_FAILED, UNREACHABLE, Server, run

KEYS = ["pattern", "clients", "in_flight", "size", "sent", "ok", "failed", "seconds", "rate_per_s", "bytes_per_s",
        "latency_us", "errors"]
APP = harness.ECHO + """
gw.handle("wrong", function(msg) msg:reply("something else") end)
local before = ""
gw.handle("stale", function(msg) local now = before; before = msg:body(); msg:reply(now) end)
gw.handle("flaky", function(msg) if msg.id % 2 == 0 then msg:reply(msg:body()) else msg:fail("Forbidden") end end)
"""


def check_shape(result):
    assert list(result) == KEYS, result
    latency = result["latency_us"]
    assert list(latency) == ["p50", "p90", "p99", "p999", "max"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"], latency
    assert result["sent"] == result["ok"] + result["failed"]


def test_every_pattern_prints_one_object_of_the_promised_shape():
    with Server() as server:
        for pattern in ["request", "event", "connect", "idle"]:
            result = server.bench("--pattern", pattern, "--duration", "300ms", "--clients", "2").expect(OK).json
            check_shape(result)
            assert result["pattern"] == pattern and result["ok"] > 0 and result["errors"] == {}, result


def test_a_count_is_met_exactly():
    with Server() as server:
        for size in [0, 1, 7, 8, 64, 5000, 65536, 100_000]:
            result = server.bench("--count", "300", "--in-flight", "16", "--clients", "3", "--size", size).expect(OK).json
            assert result["ok"] == result["sent"] == 300, result
        assert server.bench("--pattern", "connect", "--count", "25", "--in-flight", "4").expect(OK).json["ok"] == 25


def test_wrong_and_failed_answers_count_as_failed():
    with Server({"app": APP}) as server:
        for action, code in [("wrong", "4012"), ("stale", "4012"), ("nobody.home", "4001")]:
            result = server.bench("--action", action, "--count", "50").expect(PEER_FAILED).json
            assert result["ok"] == 0 and result["failed"] == 50 and result["errors"] == {code: 50}, result
        result = server.bench("--action", "flaky", "--count", "50").expect(PEER_FAILED).json
        assert result["ok"] == 25 and result["errors"] == {"6002": 25}, result
        server.bench("--action", "wrong", "--count", "50", "--no-verify").expect(OK)


def test_with_a_rate_messages_are_sent_on_time():
    with Server() as server:
        result = server.bench("--rate", "500", "--duration", "1s", "--in-flight", "100").expect(OK).json
        assert result["sent"] == 500 and 0.9 < result["seconds"] < 5, result


def test_latency_counts_from_the_time_a_message_was_due():
    stall_s = 0.6
    with Server() as server:
        load = harness.start("bench", server.address, "--ca", server.certificate, "--rate", "500", "--count", "1000",
                             "--in-flight", "1", "--json")
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") > 50)
        server.process.send_signal(signal.SIGSTOP)
        threading.Event().wait(stall_s)
        server.process.send_signal(signal.SIGCONT)
        result = harness.finish(load).expect(OK).json
        # One in flight: a single message is under way meanwhile. The 300 that are due show the stall nevertheless, and the
        # slowest tenth of all nearly all of it, on a machine of any speed.
        assert result["latency_us"]["p90"] > stall_s / 2 * 1e6, result


def test_a_server_that_is_not_there_exits_3():
    failed = run("bench", "127.0.0.1:9", "--insecure", "--timeout", "500ms", "--json").expect(UNREACHABLE)
    assert "ConnectTimeout" in failed.err and failed.json["ok"] == 0


def test_a_server_that_dies_is_counted_not_waited_for():
    with Server() as server:
        load = harness.start("bench", server.address, "--ca", server.certificate, "--duration", "2s", "--timeout", "1s",
                             "--rate", "200", "--in-flight", "50", "--json")
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") > 50)
        server.process.kill()
        result = harness.finish(load).expect(PEER_FAILED).json
        assert result["ok"] > 50 and result["failed"] > 0 and result["sent"] == 400, result
        assert result["seconds"] < 6, result


def test_people_get_a_short_table():
    with Server() as server:
        text = run("bench", server.address, "--ca", server.certificate, "--count", "100").expect(OK).out
        assert "100 ok" in text and "p99" in text, text


if __name__ == "__main__":
    harness.main(globals())

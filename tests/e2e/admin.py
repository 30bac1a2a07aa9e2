#!/usr/bin/env python3
"""The admin plane over HTTP: health and metrics of a real server."""

import harness
from harness import OK, PEER_FAILED, Server


def test_health_says_ok():
    with Server() as server:
        status, text = server.get("/health")
        assert status == 200 and '"ok"' in text, text
        assert server.get("/no-such-page")[0] == 404


def test_metrics_move_with_what_happens():
    with Server() as server:
        received = server.metric("godwit_messages_received_total")
        server.request("echo", "--body", "hello").expect(OK)
        server.request("nobody.home").expect(PEER_FAILED)
        server.send("echo").expect(OK)
        assert server.metric("godwit_messages_received_total") == received + 3
        assert server.metric("godwit_connections_opened_total") == 3
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)
        for name in ["godwit_build_info", "godwit_connections", "godwit_promises", "process_resident_memory_bytes"]:
            server.metric(name)


def test_events_leave_no_promise_behind():
    with Server() as server:
        server.bench("--pattern", "event", "--count", "5000", "--in-flight", "200").expect(OK)
        assert server.metric("godwit_promises") == 0


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""What reloading costs the messages: a server under a fixed rate, first left alone, then reloaded all the time.

Prints one JSON object: latencies of both phases in microseconds, how many reloads went live, what failed, and the server's
memory before and after. Figures, not verdicts, but for lost messages: those make the exit code 1.
"""

import argparse
import json
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402


class AdminSocket:
    """One connection for all reloads, so that starting commands does not take the processor from what is measured."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(harness.PATIENCE_S)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")

    def reload(self, name):
        self._socket.sendall(json.dumps({"verb": "reload", "name": name}).encode() + b"\n")
        return json.loads(self._lines.readline())


def bench(server, options, work=lambda: None):
    """The load generator's report; `work` is done again and again meanwhile."""
    process = harness.start("bench", server.address, "--ca", server.certificate, "--rate", options.rate, "--clients", 8,
                            "--in-flight", 128, "--duration", f"{options.seconds}s", "--json")
    while process.poll() is None:
        work()
    return harness.finish(process).json


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="messages per second")
    parser.add_argument("--seconds", type=int, default=30, help="of each phase")
    parser.add_argument("--reloads", type=int, default=1000, help="at most")
    options = parser.parse_args()
    arguments = ["--set", 'scripts.reload="manual"', "--set", 'scripts.probation="1s"', "--set", 'log.level="warn"']
    with harness.Server(arguments=arguments) as server:
        quiet = bench(server, options)
        memory_before = server.metric("process_resident_memory_bytes")
        admin = AdminSocket(server.folder / "data" / "admin.socket")
        outcomes = []

        def reload():
            if len(outcomes) == options.reloads:
                harness.threading.Event().wait(0.05)
                return
            server.write_app("echo", harness.ECHO + f"-- {len(outcomes)}\n")
            outcomes.append(admin.reload("echo")["ok"])
            harness.threading.Event().wait(options.seconds / options.reloads / 2)

        busy = bench(server, options, reload)
        memory_after = server.metric("process_resident_memory_bytes")
    print(json.dumps({"reloads": sum(outcomes), "refused": outcomes.count(False), "failed": busy["failed"],
                      "errors": busy["errors"], "ok": busy["ok"], "quiet_us": quiet["latency_us"],
                      "reloading_us": busy["latency_us"], "memory_before": memory_before,
                      "memory_after": memory_after}))
    return 1 if busy["failed"] or outcomes.count(False) else 0


if __name__ == "__main__":
    sys.exit(main())

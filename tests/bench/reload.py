#!/usr/bin/env python3
"""What reloading costs the messages: a server with an app and a plugin under a fixed rate, first left alone, then reloaded
all the time, the two in turns.

Prints one JSON object: latencies of both phases in microseconds, how many reloads went live, what failed, how many messages
were answered and how many handled (the same, or some were doubled), connections that closed before their time, and the
server's memory before and after. What is lost, doubled or refused makes the exit code 1.
"""

import argparse
import json
import os
import pathlib
import socket
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
for variable, built in {"GODWIT": "godwit", "PLUGINS": "plugins", "TEST_PLUGINS": "tests/unit/plugin"}.items():
    os.environ.setdefault(variable, str(ROOT / "build" / built))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402
import plugins  # noqa: E402

ACTIONS = ("echo", "plugin.echo")


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


class Load:
    """Load generators, one for each action, each at its share of the rate."""

    def __init__(self, server, actions, options):
        self._running = [harness.start("bench", server.address, "--ca", server.certificate, "--action", action,
                                       "--rate", options.rate // len(actions), "--clients", 4, "--in-flight", 128,
                                       "--duration", f"{options.seconds}s", "--json") for action in actions]

    def running(self):
        return all(process.poll() is None for process in self._running)

    def reports(self):
        while self.running():
            harness.threading.Event().wait(0.1)
        return [harness.finish(process).json for process in self._running]


def another(folder, generation):
    """The echo plugin as another file: the same code with another tail."""
    file = folder / "echo.so"
    file.write_bytes((plugins.PLUGINS / "echo.so").read_bytes() + generation.to_bytes(4, "big"))
    return file


def latencies(reports):
    return [report["latency_us"] for report in reports]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="messages per second")
    parser.add_argument("--seconds", type=int, default=30, help="of each phase")
    parser.add_argument("--reloads", type=int, default=1000, help="at most, of app and plugin in turns")
    options = parser.parse_args()
    arguments = ["--set", 'scripts.reload="manual"', "--set", 'scripts.probation="1s"', "--set", 'log.level="warn"']
    outcomes = []
    with plugins.server(plugins.PLUGINS / "echo.so", config='[plugins.echo]\nunload = "drained"\n',
                        arguments=arguments) as server:
        quiet_reports = Load(server, ACTIONS, options).reports()
        # The counters are published from time to time.
        harness.wait_until(lambda: server.metric("godwit_lua_messages_total") >= sum(r["ok"] for r in quiet_reports))
        memory_before = server.metric("process_resident_memory_bytes")
        handled_before = server.metric("godwit_lua_messages_total")
        admin = AdminSocket(server.folder / "data" / "admin.socket")
        load = Load(server, ACTIONS, options)
        while load.running():
            if len(outcomes) < options.reloads:
                generation = len(outcomes) + 1
                if generation % 2:
                    server.write_app("app", harness.ECHO + f"-- {generation}\n")
                else:
                    plugins.install(another(server.folder, generation), server.folder / "plugins" / "echo.so")
                outcomes.append(admin.reload("app" if generation % 2 else "plugin/echo"))
            harness.threading.Event().wait(options.seconds / options.reloads / 2)
        reports = load.reports()
        harness.threading.Event().wait(2)  # the last probation ends
        handled = server.metric("godwit_lua_messages_total") - handled_before
        memory_after = server.metric("process_resident_memory_bytes")
        closed = server.metric("godwit_connections_closed_total")
        text = pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
        mapped = {line.split()[-2] for line in text.splitlines() if "memfd:echo@" in line}
    ok, failed = sum(r["ok"] for r in reports), sum(r["failed"] for r in reports)
    refused = [outcome for outcome in outcomes if not outcome["ok"]]
    print(json.dumps({"reloads": len(outcomes) - len(refused), "refused": len(refused), "ok": ok, "failed": failed,
                      "handled": handled, "errors": [r["errors"] for r in reports],
                      "connections_closed_early": closed - 2 * len(ACTIONS) * 4, "plugins_mapped": len(mapped),
                      "quiet_us": latencies(quiet_reports), "reloading_us": latencies(reports),
                      "memory_before": memory_before, "memory_after": memory_after}))
    if refused:
        print(refused[0], file=sys.stderr)
    return 1 if failed or refused or handled != ok else 0


if __name__ == "__main__":
    sys.exit(main())

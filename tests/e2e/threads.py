#!/usr/bin/env python3
"""What the threads of a process do to each other: workers under load while everything that reaches all of them happens.

Under ThreadSanitizer (`./dev tsan`) a race ends the process, so that its exit code and its clients tell of it.
"""

import contextlib
import signal
import subprocess
import threading
import urllib.error

import harness
from harness import OK, PEER_FAILED, Server

WORKERS = 3
STUCK = """
local gw = require "godwit"
gw.handle("echo", function(msg) msg:reply(msg:body()) end)
gw.handle("stuck", function() while true do pcall(function() while true do end end) end end)
"""

PATIENT = """
local gw = require "godwit"
gw.handle("wait", function(msg)
  gw.sleep("60s")
  msg:reply("late")
end, { timeout = "120s" })
"""


def workers(*settings, apps=None, config=""):
    settings = [f"server.workers={WORKERS}", *settings]
    return Server(apps, config, [part for setting in settings for part in ("--set", setting)])


def start_load(server, *arguments):
    # Enough connections that no worker is left without, whatever the kernel does with their ports.
    return harness.start("bench", server.address, "--ca", server.certificate, "--json", "--clients", str(8 * WORKERS),
                         *arguments)


@contextlib.contextmanager
def scraped(server):
    """Somebody asks for everything that the workers publish, as long as this lasts."""
    enough = threading.Event()

    def scrape():
        while not enough.wait(0.01):
            server.get("/metrics")
            server.get("/health")

    scraper = threading.Thread(target=scrape, daemon=True)
    scraper.start()
    try:
        yield
    finally:
        enough.set()
        scraper.join()


def test_under_load_scripts_settings_and_certificates_change_on_all_workers_and_no_message_fails():
    with workers() as server:
        with scraped(server):
            loads = [start_load(server, "--duration", "3s", "--in-flight", "4"),
                     start_load(server, "--duration", "3s", "--pattern", "event", "--size", "3000"),
                     start_load(server, "--duration", "3s", "--pattern", "connect")]
            harness.wait_until(lambda: server.metric("godwit_messages_received_total") > 100)
            for generation in range(2, 6):
                server.write_app("echo", harness.ECHO + f"-- {generation}\n")
                server.log.wait_for(rf"app is live .*echo@{generation}")
                server.write_config(f"[log]\nlevel = \"{['info', 'debug'][generation % 2]}\"\n"
                                    f"[session]\nmax_clients = {10_000 + generation}")
                server.process.send_signal(signal.SIGHUP)
                server.log.wait_for(rf"session\.max_clients .*{10_000 + generation}")
            for load in loads:
                result = harness.finish(load).expect(OK).json
                assert result["failed"] == 0 and result["ok"] > 0, result
        assert server.stop() == OK


def test_an_endless_loop_is_ended_on_each_worker_and_the_others_go_on():
    with workers('scripts.burst_max="200ms"', apps={"app": STUCK}) as server:
        with scraped(server):
            load = start_load(server, "--duration", "2s", "--in-flight", "1", "--timeout", "20s")
            result = harness.finish(start_load(server, "--action", "stuck", "--count", str(8 * WORKERS), "--no-verify",
                                               "--timeout", "20s")).expect(PEER_FAILED).json
            assert result["failed"] == 8 * WORKERS and "4003" not in result["errors"], result
            assert harness.finish(load).expect(OK).json["failed"] == 0
        assert server.stop() == OK


def test_handlers_that_wait_hold_up_the_end_until_a_second_sigterm():
    with workers(apps={"app": PATIENT}, config='drain_timeout = "60s"') as server:
        load = start_load(server, "--action", "wait", "--count", str(8 * WORKERS), "--timeout", "120s")
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") >= 8 * WORKERS)
        server.process.send_signal(signal.SIGTERM)
        server.log.wait_for("stopping")
        try:
            server.process.wait(0.5)
            raise AssertionError("nobody was waited for")
        except subprocess.TimeoutExpired:
            assert server.stop() == OK
        finally:
            load.kill()
            load.communicate()


def test_workers_go_down_under_load_and_all_that_was_asked_has_an_end():
    with workers() as server:
        load = start_load(server, "--duration", "10s", "--in-flight", "4", "--timeout", "5s")
        harness.wait_until(lambda: server.metric("godwit_messages_received_total") > 1000)
        server.process.send_signal(signal.SIGTERM)
        try:
            while server.process.poll() is None:
                server.get("/metrics")
        except (urllib.error.URLError, OSError):
            pass
        assert server.process.wait(harness.PATIENCE_S) == OK
        load.send_signal(signal.SIGINT)
        result = harness.finish(load).json
        assert result["ok"] > 0 and result["sent"] == result["ok"] + result["failed"], result


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""A client library, a server and a network that fails between them: sessions that go on, and such that cannot."""

import contextlib
import os
import pathlib
import subprocess

import harness
from harness import Server
from shaped import Shaped

WALKAWAY = pathlib.Path(os.environ["EXAMPLES"]) / "walkaway"
# A lost connection is noticed after three silent seconds.
ALERT = '[session]\nheartbeat_interval = "1s"\nresume_window = "%s"\n'


class Walk:
    """The example that counts."""

    def __init__(self, address, count):
        self.process = subprocess.Popen([WALKAWAY, address, str(count)], stdout=subprocess.PIPE, text=True)
        self.out = harness.Lines(self.process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def numbers(self):
        return [int(line) for line in self.out.seen if line.isdigit()]


def test_the_numbers_go_on_when_the_cable_is_plugged_in_again():
    with Server(config=ALERT % "60s") as server, Shaped(server, "--delay", "5ms") as path, \
            Walk(path.address, 120) as walk:
        walk.out.wait_for("^5$")
        path.say("blackhole on")
        walk.out.wait_for("no connection: IdleTimeout")
        path.say("rebind")
        path.say("blackhole off")
        walk.out.wait_for("the server still has the session")
        assert walk.process.wait(harness.PATIENCE_S) == 0
        walk.out.rest()
        assert walk.numbers() == list(range(1, 121)), walk.out.seen
        assert server.metric("godwit_session_resumes_total") == 1
        assert server.metric("godwit_connections_opened_total") == 2


def test_of_several_workers_a_client_comes_back_to_the_one_that_has_its_session():
    with Server(config=ALERT % "60s", arguments=["--set", "server.workers=4"]) as server, Shaped(server) as path, \
            contextlib.ExitStack() as stack:
        walks = [stack.enter_context(Walk(path.address, 100)) for _ in range(4)]
        for walk in walks:
            walk.out.wait_for("^5$")
        path.say("blackhole on")
        for walk in walks:
            walk.out.wait_for("no connection: IdleTimeout")
        path.say("rebind")
        path.say("blackhole off")
        for walk in walks:
            assert walk.process.wait(harness.PATIENCE_S) == 0
            walk.out.rest()
            assert walk.numbers() == list(range(1, 101)), walk.out.seen
        assert server.metric("godwit_session_resumes_total") == 4
        assert server.metric("godwit_hellos_refused_total") == 0


def test_a_server_that_is_killed_loses_the_session_and_the_client_says_so():
    with Server(config=ALERT % "60s") as server, Shaped(server, "--delay", "1ms") as path, \
            Walk(path.address, 100) as walk:
        walk.out.wait_for("^5$")
        path.say("blackhole on")
        walk.out.wait_for("no connection: IdleTimeout")
        server.process.kill()
        server.process.wait()
        again = subprocess.Popen([harness.GODWIT, "serve", "--dev", "-c", server.config_file, "--set",
                                  f'server.listen="{server.address}"'], cwd=server.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert again.stdout.readline().startswith("godwit ready")
        path.say("blackhole off")
        walk.out.wait_for("given the session up")
        assert walk.process.wait(harness.PATIENCE_S) == 1
        walk.out.rest()
        lost = [line for line in walk.out.seen if line.startswith("failed")]
        assert lost and all(line == "failed: SessionLost" for line in lost), walk.out.seen
        numbers = walk.numbers()
        assert numbers == sorted(set(numbers)) and numbers[-1] == 100 and len(numbers) + len(lost) == 100, numbers
        again.terminate()
        again.wait(harness.PATIENCE_S)
        again.stdout.close()


def test_a_session_that_was_away_for_too_long_is_gone_on_both_sides():
    with Server(config=ALERT % "1s") as server, Shaped(server) as path, Walk(path.address, 90) as walk:
        walk.out.wait_for("^5$")
        path.say("blackhole on")
        walk.out.wait_for("no connection: IdleTimeout")
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)
        path.say("blackhole off")
        assert walk.process.wait(harness.PATIENCE_S) == 1
        walk.out.rest()
        assert "failed: SessionLost" in walk.out.seen, walk.out.seen
        assert walk.numbers()[-1] == 90


if __name__ == "__main__":
    harness.main(globals())

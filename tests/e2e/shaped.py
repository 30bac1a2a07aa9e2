#!/usr/bin/env python3
"""Client and server with a bad network between them: tests/tools/shaper."""

import json
import os
import subprocess

import harness
from harness import OK, Server

SHAPER = os.environ["SHAPER"]


class Shaped:
    """A shaper in front of a server."""

    def __init__(self, server, *arguments):
        self.process = subprocess.Popen([SHAPER, "--to", server.address, "--seed", "11", *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self.out = harness.Lines(self.process.stdout)
        self.address = self.out.wait_for(r"^shaper ready listen=(\S+)")[1]
        self.trust = ["--ca", server.certificate]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def say(self, line, answer="^ok$"):
        self.process.stdin.write(line + "\n")
        return self.out.wait_for(answer)

    def stats(self):
        return json.loads(self.say("stats", r"^\{.*")[0])

    def bench(self, *arguments):
        return harness.start("bench", self.address, *self.trust, "--json", *arguments)


def test_requests_over_a_path_that_loses_5_percent_are_all_answered():
    with Server() as server, Shaped(server, "--loss", "5%", "--delay", "5ms", "--jitter", "3ms", "--duplicate", "2%",
                                    "--reorder", "2%") as path:
        result = harness.finish(path.bench("--count", "1000", "--clients", "2", "--in-flight", "8")).expect(OK).json
        assert result["ok"] == result["sent"] == 1000 and result["errors"] == {}, result
        stats = path.stats()
        assert stats["up"]["lost"] > 0 and stats["down"]["lost"] > 0 and stats["up"]["duplicated"] > 0, stats


def test_a_client_whose_port_changes_in_mid_run_loses_nothing():
    with Server() as server, Shaped(server, "--delay", "2ms") as path:
        load = path.bench("--count", "2000", "--clients", "2", "--in-flight", "4")
        for rebinds in range(1, 4):
            harness.wait_until(lambda: path.stats()["up"]["packets"] > rebinds * 200)
            path.say("rebind")
        result = harness.finish(load).expect(OK).json
        assert result["ok"] == result["sent"] == 2000 and result["errors"] == {}, result
        assert path.stats()["up"]["packets"] > 600


def test_a_path_that_swallows_everything_for_a_while_delays_answers_and_loses_none():
    with Server() as server, Shaped(server, "--delay", "2ms") as path:
        load = path.bench("--count", "1000", "--in-flight", "4")
        harness.wait_until(lambda: path.stats()["up"]["packets"] > 100)
        path.say("blackhole on")
        harness.wait_until(lambda: path.stats()["up"]["swallowed"] > 0)
        path.say("blackhole off")
        result = harness.finish(load).expect(OK).json
        assert result["ok"] == 1000 and result["errors"] == {}, result


if __name__ == "__main__":
    harness.main(globals())

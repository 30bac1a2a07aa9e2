#!/usr/bin/env python3
"""Clients that come and go: neither memory nor descriptors of the server grow with them.

churn.py [--cycles N] [--rounds N]: N connections in so many rounds, each a whole handshake, a session and its end; says what the server has after
each round, and fails where the later half of the rounds grew.
"""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import OK, Server, wait_until

# What an allocator keeps or gives back between two rounds, and the tables' last doubling.
SLACK_KIB = 1024


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def churn(cycles, rounds, arguments=()):
    """(resident KiB, descriptors) after each round."""
    # Who was here is remembered for a while, in case that somebody has something for them: that is no leak.
    with Server(arguments=[*arguments, "--set", 'offline.ttl="0s"']) as server:
        pid, seen = server.process.pid, []
        for _ in range(rounds):
            server.bench("--pattern", "connect", "--in-flight", "16", "--count", str(cycles // rounds)).expect(OK)
            wait_until(lambda: server.metric("godwit_sessions") == 0 and server.metric("godwit_connections") == 0)
            seen.append((resident_kib(pid), descriptors(pid)))
        return seen


def check(seen):
    later = seen[len(seen) // 2:]
    grown = later[-1][0] - later[0][0]
    assert grown <= SLACK_KIB, f"{grown} KiB more over the later half: {seen}"
    counts = [count for _, count in seen]
    assert max(counts) - min(counts) <= 2, f"descriptors: {seen}"  # a scrape may be under way
    return grown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    seen = churn(options.cycles, options.rounds)
    for number, (memory, count) in enumerate(seen, 1):
        print(f"{number * (options.cycles // options.rounds):>10} connections  {memory:>8} KiB  {count:>4} descriptors")
    print(f"grown over the later half: {check(seen)} KiB")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures a server and the load generator side by side on this machine.

Starts `godwit serve` (one worker, the echo app) in a scratch folder, once without and once with busy polling, and runs each
row N times (default 5). Prints one JSON object per run as it comes, then a Markdown table of the medians, beside what the
row must reach. With --peers FOLDER, programs of that folder run in between, so that ratios come from one run; see README.md.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402
from peers import Peers  # noqa: E402

BUSY_POLL = "30us"


class Row:
    """One line of the table: how it is measured, which figures count, and what they must reach."""

    def __init__(self, name, arguments, goals, busy=False):
        self.name, self.arguments, self.goals, self.busy = name, arguments, goals, busy


def request(in_flight, size="64", clients=1):
    return ["--pattern", "request", "--in-flight", in_flight, "--size", size, "--clients", clients]


def event(in_flight):
    return ["--pattern", "event", "--in-flight", in_flight, "--size", "64"]


# A goal is (figure, comparison, value): rates in 1/s, latencies in µs.
ROWS = [
    Row("request 64 B, 1 in flight", request(1), [("p50", "<=", 95), ("p99", "<=", 150)]),
    Row("request 64 B, 1 in flight, poll", request(1), [("p50", "<=", 15), ("p99", "<=", 40)], busy=True),
    Row("request 64 B, 16 in flight", request(16), [("rate", ">=", 150e3)]),
    Row("request 64 B, 16 in flight, poll", request(16), [("rate", ">=", 400e3)], busy=True),
    Row("request 64 B, 128 in flight", request(128), [("rate", ">=", 400e3), ("p99", "<=", 1000)]),
    Row("request 1 KiB, 128 in flight", request(128, "1KiB"), [("rate", ">=", 250e3)]),
    Row("request 64 KiB, 16 in flight", request(16, "64KiB"), [("rate", ">=", 8e3)]),
    Row("request 1 MiB, 16 in flight", request(16, "1MiB"), [("rate", ">=", 500)]),
    Row("request 64 B, 100 clients x 1", request(1, clients=100), [("rate", ">=", 90e3)]),
    Row("request 64 B, 100 clients x 16", request(16, clients=100), [("rate", ">=", 500e3)]),
    Row("event 64 B, 20 in flight", event(20), [("rate", ">=", 150e3)]),
    Row("event 64 B, 1000 in flight", event(1000), [("rate", ">=", 600e3)]),
    Row("connect, 16 at once", ["--pattern", "connect", "--in-flight", 16], [("rate", ">=", 2000)]),
]


def figures(result):
    latency = result["latency_us"]
    return {"rate": result["rate_per_s"], "p50": latency["p50"], "p99": latency["p99"], "max": latency["max"],
            "failed": result["failed"]}


def measure(server, row, seconds):
    busy = ["--busy-poll", BUSY_POLL] if row.busy else []
    finished = server.bench(*row.arguments, *busy, "--duration", f"{seconds}s")
    if finished.code not in (harness.OK, harness.PEER_FAILED):
        raise SystemExit(f"{row.name}: {finished.err}")
    return finished.json


def start_server(busy):
    polling = ["--set", f'server.busy_poll="{BUSY_POLL}"'] if busy else []
    return harness.Server(arguments=["--set", 'log.level="error"', *polling])


def run_rows(rows, options, peers, report):
    """All samples, as {(who, row): [figures of each run]}; ours and the peers' take turns."""
    samples = {}

    def keep(who, row, sample):
        samples.setdefault((who, row.name), []).append(sample)

    for busy in (False, True):
        chosen = [row for row in rows if row.busy == busy]
        if not chosen:
            continue
        with start_server(busy) as server:
            for number, row in [(number, row) for number in range(1, options.runs + 1) for row in chosen]:
                result = measure(server, row, options.seconds)
                keep("godwit", row, figures(result))
                report({"who": "godwit", "row": row.name, "run": number, **result})
                for who, sample in peers.measure(row.name, options.seconds) if peers else []:
                    keep(who, row, sample)
                    report({"who": who, "row": row.name, "run": number, **sample})
    return samples


def reached(figure, comparison, value):
    return figure <= value if comparison == "<=" else figure >= value


def readable(name, value):
    return f"{value:,.0f}/s" if name == "rate" else f"{value:,.1f} µs"


def medians(samples):
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def shown(samples, key):
    """Of a rate the range as well, because it says how much to believe the median."""
    if not samples or key not in samples[0]:
        return "–"
    text = readable(key, medians(samples)[key])
    values = [sample[key] for sample in samples]
    return f"{text} ({min(values):,.0f}–{max(values):,.0f})" if key == "rate" else text


def goals_of(row):
    return ", ".join(f"{name} {'≤' if sign == '<=' else '≥'} {readable(name, value)}" for name, sign, value in row.goals)


def reaches(row, samples):
    median = medians(samples)
    return median["failed"] == 0 and all(reached(median[name], sign, value) for name, sign, value in row.goals)


def table(rows, samples):
    peers = sorted({who for who, _ in samples} - {"godwit"})
    heads = ["what", "rate", "p50", "p99", "failed", "must reach", "", *(f"{who}: rate, p50" for who in peers)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        ours = samples["godwit", row.name]
        cells = [row.name, shown(ours, "rate"), shown(ours, "p50"), shown(ours, "p99"), f"{medians(ours)['failed']:.0f}",
                 goals_of(row), "yes" if reaches(row, ours) else "NO"]
        for who in peers:
            theirs = samples.get((who, row.name), [])
            cells.append(f"{shown(theirs, 'rate')}, {shown(theirs, 'p50')}" if theirs else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def about():
    commit = subprocess.run(["git", "-C", harness.ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {"commit": commit.stdout.strip(), "cpus": os.cpu_count(), "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--godwit", type=pathlib.Path, help="the command (default: build/godwit)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rows", help="only rows whose name contains one of these, separated by commas")
    parser.add_argument("--peers", type=pathlib.Path, help="a folder of peers' programs to run in turn with ours")
    parser.add_argument("--dependencies", type=pathlib.Path, help="the rebuilt libraries, for building the peers",
                        default=os.environ.get("GODWIT_DEPS", pathlib.Path.home() / ".cache" / "godwit" / "deps"))
    parser.add_argument("--json", type=pathlib.Path, help="write the JSON lines here as well")
    options = parser.parse_args()
    if options.godwit:
        harness.GODWIT = options.godwit.resolve()
    wanted = options.rows.split(",") if options.rows else [""]
    rows = [row for row in ROWS if any(part.strip() in row.name for part in wanted)]
    kept = options.json.open("w") if options.json else None

    def report(entry):
        line = json.dumps(entry)
        print(line, flush=True)
        if kept:
            print(line, file=kept, flush=True)

    report({"about": about()})
    peers = Peers(options.peers, options.dependencies) if options.peers else None
    samples = run_rows(rows, options, peers, report)
    print(f"\nMedians of {options.runs} runs of {options.seconds} s, commit {about()['commit']}.\n")
    print(table(rows, samples))


if __name__ == "__main__":
    main()

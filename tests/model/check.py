#!/usr/bin/env python3
"""Checks takeover.pml with spin over its full state space, and that each planted fault is found in it."""

import pathlib
import re
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().parent / "takeover.pml"
# Deeper than any path of the model; spin says so if it is not.
DEPTH = 200_000


class Outcome:
    def __init__(self, text):
        self.text = text
        self.errors = int(re.search(r"errors: (\d+)", text)[1])
        self.states = int(re.search(r"(\d+) states, stored", text)[1])
        self.complete = "max search depth too small" not in text and "out of memory" not in text


def check(*defines, ltl=None):
    """Builds the checker for these variants and runs it: assertions and stuck states, or one formula under fairness."""
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            return done.stdout
        run("spin", *(f"-D{name}" for name in defines), "-a", str(MODEL))
        flags = ["-DNFAIR=5"] if ltl else ["-DSAFETY", "-DNOCLAIM"]
        run("cc", "-O0", "-w", "-DCOLLAPSE", "-DVECTORSZ=2048", *flags, "-o", "pan", "pan.c")
        return Outcome(run("./pan", f"-m{DEPTH}", "-w20", *(["-a", "-f", "-N", ltl] if ltl else [])))


def holds(name, *defines, ltl=None):
    outcome = check(*defines, ltl=ltl)
    good = outcome.errors == 0 and outcome.complete
    print(f"{'ok' if good else 'FAILED'}  {name}: {outcome.states} states")
    if not good:
        print(outcome.text)
    return good


def breaks(name, *defines, ltl=None):
    outcome = check(*defines, ltl=ltl)
    good = outcome.errors > 0
    print(f"{'ok' if good else 'FAILED'}  {name}")
    return good


def main():
    results = [
        holds("assertions P1 to P6 and P10, and no stuck state"),
        holds("P9: acknowledged or reported", ltl="settled"),
        holds("nothing is lost while the session's time is not over", "NO_EXPIRY", ltl="kept"),
        holds("nor where attempts are not counted and a client that was superseded comes again",
              "NO_EXPIRY", "NO_ATTEMPTS", "COMES_AGAIN", ltl="kept"),
        breaks("planted: attempts are not counted, and a late Hello takes the session from a newer connection",
               "NO_EXPIRY", "NO_ATTEMPTS", ltl="kept"),
        holds("a token that ends with its first use is used once", "SINGLE_USE"),
        breaks("and loses the session with the Welcome", "SINGLE_USE", "NO_EXPIRY", ltl="kept"),
        breaks("planted: the old connection is not fenced", "NO_FENCE"),
        breaks("planted: the epoch is not compared", "NO_EPOCH_CHECK"),
        breaks("planted: what was seen is handled again", "NO_DEDUPE"),
        breaks("planted: the acknowledgement goes before the handling", "ACK_FIRST"),
    ]
    failed = results.count(False)
    if failed:
        print(f"test cases: {len(results)} | {len(results) - failed} passed | {failed} failed")
        return 1
    print(f"All tests passed ({len(results)} assertions in {len(results)} test cases)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

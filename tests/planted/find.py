#!/usr/bin/env python3
"""find.py FAULT -- COMMAND… [-- COMMAND…]…

Runs the commands in turn with a planted fault switched on until one of them fails: then the fault was found, and the exit
code is 0. FAULT `none` switches nothing on, and all of them must pass."""

import os
import subprocess
import sys
import time

# The slowest passes in a few seconds; a fault may make it wait for ever.
LIMIT_S = 120


def commands(words):
    command = []
    for word in words:
        if word == "--":
            if command:
                yield command
            command = []
        else:
            command.append(word)
    if command:
        yield command


def finds(command, fault):
    """The last words of a command that failed; None when it passed."""
    environment = {**os.environ, "GODWIT_PLANTED_FAULT": fault}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT_S} s"
    return None if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]


def main():
    fault = sys.argv[1]
    for command in commands(sys.argv[2:]):
        began = time.monotonic()
        words = finds(command, fault)
        if words is None:
            continue
        name = " ".join([os.path.basename(command[0]), *command[1:]])
        print(f"{fault}: found by {name} after {time.monotonic() - began:.1f} s")
        print("\n".join("  " + line for line in words.splitlines()))
        return 1 if fault == "none" else 0
    print(f"{fault}: all passed")
    return 0 if fault == "none" else 1


if __name__ == "__main__":
    sys.exit(main())

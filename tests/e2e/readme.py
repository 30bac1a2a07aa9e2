#!/usr/bin/env python3
"""What the README has a newcomer do in the first minutes, word by word, in this checkout."""

import contextlib
import os
import re
import shlex
import subprocess

import harness
from harness import OK, PATIENCE_S, ROOT

README = (ROOT / "README.md").read_text()
ECHO = ROOT / "scripts" / "echo" / "main.lua"


@contextlib.contextmanager
def first_command():
    """The server of `./dev run`, but on free ports; what is done to the script that the README has one edit is undone."""
    assert re.search(r"^    \./dev run ", README, re.M)
    text = ECHO.read_text()
    free = {"GODWIT_SERVER__LISTEN": "127.0.0.1:0", "GODWIT_ADMIN__HTTP": "127.0.0.1:0"}
    server = subprocess.Popen(["./dev", "run"], cwd=ROOT, env={**os.environ, **free}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    server.out, server.log = harness.Lines(server.stdout), harness.Lines(server.stderr)
    try:
        server.address = server.out.wait_for(r"^godwit ready quic=(\S+)")[1]
        yield server
        server.terminate()
        assert server.wait(PATIENCE_S) == OK
    finally:
        ECHO.write_text(text)
        if server.poll() is None:
            server.kill()
            server.wait()


def typed(server, verb_and_action):
    """Runs the README's line with these words."""
    line = re.search(rf"^    (build/godwit {verb_and_action} .*)$", README.replace("127.0.0.1:8453", server.address), re.M)[1]
    ran = subprocess.run(shlex.split(line), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ran.returncode == OK, (line, ran)
    return ran.stdout


def save(text):
    fresh = ECHO.with_name("main.lua.new")
    fresh.write_text(text)
    fresh.rename(ECHO)


def test_a_newcomer_is_answered_adds_a_handler_and_breaks_it_without_harm():
    handler = re.search(r"## The first handler.*?```lua\n(.*?)```", README, re.S)[1]
    with first_command() as server:
        assert typed(server, r"request \S+ echo") == "hello"
        save(ECHO.read_text() + handler)
        server.log.wait_for(r"app is live .*echo@2")
        assert re.fullmatch(r"Good day, Ada, you are \S+", typed(server, r"request \S+ greet\.morning"))
        save(ECHO.read_text().rstrip().removesuffix("end)"))
        server.log.wait_for(r"not reloaded.*main\.lua:\d+")
        assert typed(server, r"request \S+ greet\.morning").startswith("Good day, Ada")


if __name__ == "__main__":
    harness.main(globals())

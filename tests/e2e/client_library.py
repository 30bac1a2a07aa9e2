#!/usr/bin/env python3
"""libgodwit-client against a real server: client_library.cpp holds the tests; here are the server, and its death."""

import os
import socket
import subprocess
import sys

import harness
from harness import Server

APP = harness.ECHO + harness.SPIN + """
gw.handle("refuse", function(msg) msg:fail("Forbidden", "not today") end)
gw.handle("query/kind", function(msg) msg:reply("asked") end)
gw.handle("headers", function(msg) msg:reply(msg.headers.color or "none", { shade = "dark" }) end)
gw.handle("wait", function(msg)
  gw.kv.set("ended", "not yet")
  local _, err = pcall(gw.sleep, 20)
  gw.kv.set("ended", err.name)
  error(err)
end, { ordered = false })
gw.handle("ended", function(msg) msg:reply(gw.kv.get("ended")) end)
gw.on("session_closed", function(ev) gw.kv.set("stop", ev.stop_reason or 0) end)
gw.handle("stop", function(msg) msg:reply(gw.kv.get("stop") or "none") end)
gw.handle("slow", function(msg)
  spin(10)
  msg:reply("late")
end)
"""


def main():
    with Server({"app": APP}, arguments=["--set", 'scripts.burst_max="20s"']) as server, \
         socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        environment = dict(os.environ, GODWIT_ADDRESS=server.address, GODWIT_CA=str(server.certificate),
                           GODWIT_DEAD=f"127.0.0.1:{silent.getsockname()[1]}")
        ran = subprocess.run([os.environ["CLIENT_LIBRARY"], *sys.argv[1:]], env=environment, timeout=120)
        return ran.returncode


if __name__ == "__main__":
    sys.exit(main())

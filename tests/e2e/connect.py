#!/usr/bin/env python3
"""`godwit connect`: what a script and a person at a terminal see."""

import os
import pty
import re
import select
import signal
import time

import harness
from harness import INTERRUPTED, OK, PEER_FAILED, UNREACHABLE, Server

DEMO = (harness.ROOT / "scripts" / "demo" / "main.lua").read_text()
GOLDEN = """\
-- connected to ADDRESS as tester
hello ada
42
ValueWrong (5008): nothing can be divided by 0
HandlerNotFound (4001): nobody
hello tester
ok
told 0
there is no /nonsense
calls 7, ok 5, failed 2, pushed 0, connections 1, resumed 0, last answer after N ms
-- closed
not connected; /reconnect does it
-- connected to ADDRESS as tester
hello again
"""
LINES = ["hello ada", "calc 6 * 7", "calc 1 / 0", "nobody", "/query hello", "/event hello x", "broadcast hi", "", "/nonsense",
         "/stats", "/disconnect", "hello", "/reconnect", "hello again", "/quit", "hello never"]


def talk(server, lines, *arguments):
    return harness.run("connect", server.address, "--ca", server.certificate, "--client-id", "tester", *arguments,
                       stdin="".join(line + "\n" for line in lines))


class Person:
    """At a terminal of their own."""

    def __init__(self, server):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execv(harness.GODWIT, ["godwit", "connect", server.address, "--ca", str(server.certificate)])
        self.seen = ""

    def types(self, keys):
        os.write(self.terminal, keys.encode())

    def sees(self, pattern):
        deadline = time.monotonic() + harness.PATIENCE_S
        while not (match := re.search(pattern, self.seen)):
            assert select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0], self.seen
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")
        self.seen = self.seen[match.end():]

    def exit_code(self):
        """Whatever is still shown is read, or the terminal would be full."""
        try:
            while os.read(self.terminal, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_script_is_answered_line_by_line():
    with Server({"demo": DEMO}) as server:
        done = talk(server, LINES).expect(PEER_FAILED)
        shown = re.sub(r"after \S+ ms", "after N ms", done.out.replace(server.address, "ADDRESS"))
        help_text = shown[shown.index("ACTION [BODY]"):shown.index("calls 7")]
        assert shown.replace(help_text, "") == GOLDEN, shown
        for word in ("/query", "/event", "/stats", "/disconnect", "/reconnect", "/quit"):
            assert word in help_text


def test_a_script_in_which_nothing_fails_ends_well_and_its_last_line_needs_no_end():
    with Server({"demo": DEMO}) as server:
        done = harness.run("connect", server.address, "--insecure", stdin="calc 1 + 1\nhello bob").expect(OK)
        assert done.out.splitlines()[1:] == ["2", "hello bob"], done.out


def test_an_input_that_ends_at_once_is_no_failure_when_there_is_a_server():
    with Server({"demo": DEMO}) as server:
        assert "connected to" in talk(server, []).expect(OK).out


def test_a_server_that_is_not_there_is_said_to_be_not_there():
    done = harness.run("connect", "127.0.0.1:1", "--insecure", "--timeout", "500ms", stdin="hello\n").expect(UNREACHABLE)
    assert re.match(r"(DeadlineExceeded|ConnectTimeout|ConnectionRefused) \(\d+\): ", done.out), done.out


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_not():
    with Server({"demo": DEMO}) as server:
        done = talk(server, ["hello " + "x" * 1_200_000, "hello ada", "/query", "/event"]).expect(PEER_FAILED)
        lines = done.out.splitlines()
        assert lines[0].startswith("MessageTooLarge (4004)") or lines[1].startswith("MessageTooLarge (4004)"), lines
        assert lines[2:] == ["hello ada", "/query needs an action", "/event needs an action"], lines


def test_who_asks_a_person_is_told_that_nobody_answers():
    asks = """
local gw = require "godwit"
gw.handle("ask", function(msg)
  local reply, err = gw.request("ada", "reboot", "now")
  msg:reply(reply and "answered" or err.name)
end)
"""
    with Server({"asks": asks}) as server:
        done = talk(server, ["ask"], "--uid", "ada").expect(OK)
        assert "<- command reboot now" in done.out and "NoReply" in done.out, done.out


def test_what_others_send_comes_between_the_lines_and_breaks_none():
    with Server({"demo": DEMO}) as server:
        person = Person(server)
        person.sees("connected to")
        person.sees("godwit> ")
        person.types("hello a")
        person.sees("hello a")
        server.request("broadcast", "--body", "tea \x1b[31m").expect(OK)
        person.sees(r"<- event news tea \\x1b\[31m")
        person.sees("godwit> hello a")
        person.types("da\r")
        person.sees("hello ada")
        person.sees("godwit> ")
        person.types("\x04")
        assert person.exit_code() == OK


def test_ctrl_c_says_goodbye_and_ends():
    with Server({"demo": DEMO}) as server:
        person = Person(server)
        person.sees("godwit> ")
        harness.wait_until(lambda: server.metric("godwit_sessions") == 1)
        os.kill(person.pid, signal.SIGINT)
        assert person.exit_code() == INTERRUPTED
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)


def test_a_session_goes_on_over_a_new_connection_and_a_lost_one_is_said_to_be_lost():
    with Server({"demo": DEMO}, '[session]\nheartbeat_interval = "200ms"\n',
                ["--set", "server.drain_timeout=\"100ms\""]) as server:
        server.keep_address()
        person = Person(server)
        person.sees("connected to")
        person.types("hello ada\r")
        person.sees("hello ada\r?\n[^\n]*hello ada")
        server.kill()
        server.start_again()
        person.sees("-- no connection")
        person.types("/reconnect\r")
        person.sees("(?s)this is a new one.*connected to")
        person.types("hello again\r")
        person.sees("hello again\r?\n[^\n]*hello again")
        person.types("/quit\r")
        assert person.exit_code() == OK


if __name__ == "__main__":
    harness.main(globals())

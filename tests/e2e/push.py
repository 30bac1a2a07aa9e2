#!/usr/bin/env python3
"""What a server sends by itself, across processes and workers, as `godwit listen` sees it."""

import json
import signal
import subprocess

import harness
from harness import GODWIT, OK, PATIENCE_S, PEER_FAILED, ROOT, UNREACHABLE, USAGE, Lines, Server

TWO_WORKERS = ("--set", "server.workers=2")
LISTENERS = 8  # the kernel spreads them over two workers; that all are on one happens once in 128 times

NEWS = """
local gw = require "godwit"
gw.handle("event/news", function(msg)
  gw.broadcast("news.flash", msg:body(), { headers = { from = "main" } })
end)
gw.handle("command/count", function(msg, session)
  local sent, refused = gw.broadcast("counted", msg:body(), { report = true, except = session })
  msg:reply(sent .. " " .. #refused)
end)
gw.handle("command/tell", function(msg)
  local reached, err = gw.send(msg.headers.to, "told", msg:body(), { confirm = true })
  if not reached then return msg:fail(err.code, err.message) end
  msg:reply(reached)
end)
gw.handle("command/kick", function(msg)
  gw.session(nil, msg:body()):close("Forbidden", "you are out")
  msg:reply()
end)
"""


class Listener:
    """`godwit listen`, connected."""

    def __init__(self, server, *arguments):
        command = [GODWIT, "listen", server.address, "--ca", server.certificate, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)
        self.err.wait_for("listening as")

    def message(self):
        return json.loads(self.out.wait_for(".*").group())

    def end(self):
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.end()


def news_server():
    return Server(apps={"news": NEWS}, arguments=TWO_WORKERS)


def shipped(app):
    """A server with one of the apps that come with godwit."""
    return Server(apps={app: (ROOT / "scripts" / app / "main.lua").read_text()}, arguments=TWO_WORKERS)


def test_a_broadcast_reaches_every_client_of_every_worker_once():
    with news_server() as server:
        listeners = [Listener(server, "--count", "2", "--json") for _ in range(LISTENERS)]
        server.send("news", "--body", "rain").expect(OK)
        assert server.request("count", "--body", "again").expect(OK).out == f"{LISTENERS} 0"
        for listener in listeners:
            flash = listener.message()
            assert flash == {"kind": "event", "action": "news.flash", "body": "rain", "headers": {"from": "main"}}
            assert listener.message()["action"] == "counted"
            assert listener.end() == OK


def test_a_listener_prints_lines_and_takes_only_what_it_wants():
    with news_server() as server, Listener(server, "--action", "news.*", "--count", "1") as listener:
        server.request("count").expect(OK)
        server.send("news", "--body", "two\nlines").expect(OK)
        assert listener.end() == OK
        assert listener.out.rest() == "event news.flash two\\nlines"


def test_what_a_listener_sends_first_takes_headers_along():
    joining = """
local gw = require "godwit"
gw.handle("join", function(msg, session)
    msg:reply()
    session:send("welcome", msg:body() .. " " .. msg.headers.lang .. " " .. msg.headers.via)
end)
"""
    with Server(apps={"joining": joining}) as server:
        with Listener(server, "--first", "join=lobby", "--header", "lang=de", "--header", "via=a=b", "--count", "1") as listener:
            assert listener.end() == OK
            assert listener.out.rest() == "event welcome lobby de a=b"


def test_who_is_not_there_is_an_error_and_who_is_has_it():
    with news_server() as server:
        nobody = server.request("tell", "--header", "to=ada").expect(PEER_FAILED)
        assert "TargetNotFound" in nobody.err
        with Listener(server, "--uid", "ada", "--json") as first, Listener(server, "--uid", "ada", "--json") as second:
            assert server.request("tell", "--header", "to=ada", "--body", "hi").expect(OK).out == "2"
            assert first.message()["body"] == second.message()["body"] == "hi"


def test_a_client_that_is_put_out_learns_why():
    with news_server() as server, Listener(server, "--uid", "ada") as listener:
        server.request("kick", "--body", "ada").expect(OK)
        assert listener.end() == PEER_FAILED
        assert "Forbidden" in listener.err.rest()


def test_listening_where_nobody_serves_is_said():
    answer = harness.run("listen", f"127.0.0.1:{harness.free_udp_port()}", "--insecure", "--timeout", "200ms")
    answer.expect(UNREACHABLE)


def test_a_device_answers_once_per_key_and_silence_has_a_code():
    with shipped("iot") as server:
        run = ("iot.run", "--header", "device=pump-7", "--header", "timeout=20", "--body", "status")
        assert "TargetNotFound" in server.request(*run).expect(PEER_FAILED).err
        pump = ("--uid", "pump-7", "--action", "iot.command", "--json")
        with Listener(server, *pump, "--reply", "3 bar") as device:
            assert server.request(*run).expect(OK).out == "3 bar"
            assert device.message()["body"] == "status"
            keyed = (*run, "--header", "key=42")
            assert server.request(*keyed).expect(OK).out == "3 bar"
            assert device.message()["headers"] == {"key": "42"}
            again = server.request(*keyed, "--json").expect(OK).json
            assert (again["body"], again["headers"]) == ("3 bar", {"replayed": "true"})
            assert server.request(*run, "--header", "key=43").expect(OK).out == "3 bar"
            assert device.message()["headers"] == {"key": "43"}  # the replayed one never came
        with Listener(server, *pump):
            assert "NoReply" in server.request(*run, "--header", "key=44").expect(PEER_FAILED).err


def test_a_device_that_is_asked_by_many_with_one_key_is_asked_once():
    with shipped("iot") as server, Listener(server, "--uid", "d", "--json", "--reply", "done") as device:
        calls = [server.start_request("iot.run", "--header", "device=d", "--header", "key=1", "--body", str(i))
                 for i in range(5)]
        assert [harness.finish(call).expect(OK).out for call in calls] == ["done"] * 5
        device.message()
        server.request("iot.run", "--header", "device=d", "--body", "last").expect(OK)
        assert device.message()["body"] == "last"


def test_reports_of_devices_are_kept():
    with shipped("iot") as server:
        assert "TargetNotFound" in server.request("iot.last", "--kind", "query", "--body", "d").expect(PEER_FAILED).err
        server.send("iot.report", "--uid", "d", "--body", "20 C").expect(OK)
        last = server.request("iot.last", "--kind", "query", "--body", "d", "--json").expect(OK).json
        assert last["body"] == "20 C"


def test_people_in_a_room_hear_each_other_come_talk_and_go():
    with shipped("chat") as server:
        def enter(who):
            return Listener(server, "--uid", who, "--first", "chat.join=lobby", "--json")
        with enter("ada") as ada:
            with enter("bob"):
                joined = ada.message()
                assert (joined["action"], joined["body"], joined["headers"]) == ("chat.joined", "bob", {"room": "lobby"})
                who = server.request("chat.who", "--kind", "query", "--body", "lobby").expect(OK)
                assert who.out == "ada\nbob"
                outside = server.request("chat.say", "--header", "room=lobby", "--body", "x").expect(PEER_FAILED)
                assert "Forbidden" in outside.err
                assert server.request("chat.tell", "--header", "to=ada", "--body", "psst", "--uid", "eve").expect(OK).out == "1"
                told = ada.message()
                assert (told["action"], told["body"], told["headers"]) == ("chat.told", "psst", {"from": "eve"})
                saw = Listener(server, "--uid", "eve", "--first", "chat.join=lobby", "--for", "5s")
                assert ada.message()["action"] == "chat.joined"
                assert saw.end() == OK
            left = [ada.message(), ada.message()]
            assert {message["action"] for message in left} == {"chat.left"}
            assert {message["body"] for message in left} == {"bob", "eve"}


def test_ticks_come_at_their_rate_in_packets_of_their_own():
    with shipped("tick") as server, Listener(server, "--first", "tick.start", "--count", "40", "--json") as listener:
        ticks = [listener.message() for _ in range(40)]
        assert listener.end() == OK
        assert all(tick["unreliable"] and tick["action"] == "tick" for tick in ticks), ticks[0]
        bodies = [json.loads(tick["body"]) for tick in ticks]
        assert all(later["number"] > earlier["number"] for earlier, later in zip(bodies, bodies[1:]))
        seconds = bodies[-1]["time"] - bodies[0]["time"]
        ticked = bodies[-1]["number"] - bodies[0]["number"]
        assert 0.5 < seconds / (ticked / 20) < 3, (seconds, ticked)


def test_an_unreliable_event_arrives_and_one_that_fits_no_packet_is_refused():
    with Server(apps={"news": NEWS}) as server, Listener(server, "--count", "1", "--json") as listener:
        server.send("news", "--body", "rain", "--unreliable").expect(OK)
        assert listener.message()["body"] == "rain"
        refused = server.send("news", "--body", "x" * 3000, "--unreliable").expect(USAGE)
        assert "MessageTooLarge" in refused.err


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""What scripts have beyond messages, in a real server: metrics, commands, ids and compression."""

import contextlib
import http.server
import re
import socket
import tempfile
import threading
import time
import uuid

import harness
from harness import OK, PEER_FAILED, USAGE, Server

COUNTING = """
local gw = require "godwit"
local orders = gw.metric.counter("orders_total", { help = "Orders taken.", labels = { "room" } })
local seconds = gw.metric.histogram("order_seconds", { buckets = { 0.1, 1 } })
gw.handle("order", function(msg)
  orders:inc({ room = msg:body() })
  seconds:observe(0.5)
  msg:reply("%s")
end)
"""

COMMANDS = """
local gw = require "godwit"
gw.handle("ping", function(msg) msg:reply("pong") end)
gw.command("greet", { help = "Says hello.", args = "NAME" }, function(args)
  if not args[1] then return nil, gw.err("UsageInvalid", "whom?") end
  gw.sleep("10ms")
  return "hello " .. args[1]
end)
gw.command("facts", function() return { worker = gw.info.worker, list = { 1, 2 } } end)
"""

IDS = """
local gw = require "godwit"
gw.handle("ids", function(msg) msg:reply(gw.uuid.v4() .. " " .. gw.uuid.v7()) end)
gw.handle("pack", function(msg)
  local packed = gw.zstd.compress(msg:body())
  local back, err = gw.zstd.decompress(packed, 1000)
  msg:reply(back and gw.hash.sha256(back) or err.name)
end)
"""


def control(server, *arguments):
    return harness.run(*arguments, "--socket", server.folder / "data" / "admin.socket")


def serving(text, *settings):
    arguments = ["--set", 'scripts.reload="manual"']
    for setting in settings:
        arguments += ["--set", setting]
    return Server({"app": text}, arguments=arguments)


def test_what_an_app_counts_is_told_over_all_workers_and_goes_on_through_a_reload():
    with serving(COUNTING % "one", "server.workers=2") as s:
        for _ in range(6):
            assert s.request("order", "--body", "attic").expect(OK).out == "one"
        text = s.get("/metrics")[1]
        assert 'godwit_app_orders_total{app="app",room="attic"} 6\n' in text, text
        assert "# HELP godwit_app_orders_total Orders taken.\n# TYPE godwit_app_orders_total counter\n" in text
        assert 'godwit_app_order_seconds_bucket{app="app",le="0.1"} 0\n' in text
        assert 'godwit_app_order_seconds_bucket{app="app",le="1"} 6\n' in text
        s.write_app("app", COUNTING % "two")
        control(s, "script", "reload", "app").expect(OK)
        assert s.metric("godwit_app_orders_total") == 6
        assert s.request("order", "--body", "attic").expect(OK).out == "two"
        assert s.metric("godwit_app_orders_total") == 7


def test_a_broken_reload_changes_nothing_of_what_is_told():
    with serving(COUNTING % "one") as s:
        s.request("order", "--body", "attic").expect(OK)
        s.write_app("app", 'require("godwit").metric.gauge("other") error("no")')
        control(s, "script", "reload", "app").expect(PEER_FAILED)
        text = s.get("/metrics")[1]
        assert 'godwit_app_orders_total{app="app",room="attic"} 1\n' in text and "godwit_app_other" not in text


def test_operators_run_commands_and_the_log_keeps_who_did():
    with serving(COMMANDS, "server.workers=2") as s:
        listed = control(s, "script", "commands", "app").expect(OK).out
        assert re.search(r"greet NAME +Says hello\.", listed) and "facts" in listed, listed
        assert control(s, "script", "run", "app", "greet", "Ada").expect(OK).out == "hello Ada\n"
        s.log.wait_for(r"admin request.*script\.run.*app.*outcome=ok.*uid=\d+.*pid=\d+.*greet Ada")
        facts = control(s, "script", "run", "app", "facts", "--worker", "1", "--json").expect(OK).json
        assert facts["result"] == {"worker": 1, "list": [1, 2]}, facts
        assert "whom?" in control(s, "script", "run", "app", "greet").expect(PEER_FAILED).err
        s.log.wait_for(r"admin request.*script\.run.*outcome=UsageInvalid")


def test_an_unknown_command_is_answered_with_those_that_there_are():
    with serving(COMMANDS) as s:
        failed = control(s, "script", "run", "app", "greets", "Ada").expect(PEER_FAILED)
        assert "CommandUnknown" in failed.err and "it has: greet, facts" in failed.err, failed.err
        s.log.wait_for(r"admin request.*script\.run.*outcome=CommandUnknown")
        assert "UnitUnknown" in control(s, "script", "run", "nobody", "greet").expect(PEER_FAILED).err
        control(s, "script", "run", "app").expect(USAGE)


def test_ids_are_unlike_each_other_and_packing_goes_there_and_back():
    with serving(IDS) as s:
        seen = set()
        for _ in range(3):
            for text, version in zip(s.request("ids").expect(OK).out.split(), (4, 7)):
                assert uuid.UUID(text).version == version, text
                seen.add(text)
        assert len(seen) == 6
        assert s.request("pack", "--body", "abc").expect(OK).out == (
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        assert s.request("pack", "--body", "x" * 1001).expect(OK).out == "MessageTooLarge"


ASKING = """
local gw = require "godwit"
gw.handle("ask", function(msg)
  local answer, err = gw.http.request { url = msg:body(), timeout = "2s", max_body = 1000 }
  msg:reply(answer and answer.status .. " " .. answer.body or err.name)
end)
gw.handle("post", function(msg)
  local answer = gw.http.request { method = "POST", url = msg:body(), body = "in", headers = { ["X-One"] = "1" } }
  msg:reply(answer.body)
end)
"""


class Page(http.server.BaseHTTPRequestHandler):
    """What a server out there might do."""

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(10)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"hello")
            while self.path == "/endless":
                self.wfile.write(b"x" * 1000)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{body.decode()} {self.headers['X-One']} {self.headers['Content-Type']}".encode())

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def pages():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()
            thread.join()


def asked(server, url, action="ask"):
    return server.request(action, "--body", url).expect(OK).out


def test_a_script_asks_servers_that_it_is_allowed_to_ask():
    with pages() as port:
        with serving(ASKING, f'scripts.http_allow=["127.0.0.1:{port}"]', 'scripts.http_private=["127.0.0.1/32"]') as s:
            base = f"http://127.0.0.1:{port}"
            assert asked(s, base + "/") == "200 hello"
            assert asked(s, base + "/", "post") == "in 1 None"
            assert asked(s, f"http://localhost:{port}/") == "HttpForbidden"
            assert asked(s, "ftp://127.0.0.1/") == "ValueWrong"


def test_what_a_server_out_there_does_wrong_costs_little():
    with pages() as port:
        with serving(ASKING, f'scripts.http_allow=["*:{port}"]', 'scripts.http_private=["127.0.0.0/8"]') as s:
            base = f"http://127.0.0.1:{port}"
            assert asked(s, base + "/redirect") == "302 "
            assert asked(s, base + "/endless") == "MessageTooLarge"
            began = time.monotonic()
            assert asked(s, base + "/slow") == "DeadlineExceeded"
            assert time.monotonic() - began < 8
            assert asked(s, base + "/") == "200 hello"


def test_addresses_that_are_not_public_are_refused_whatever_the_name():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listening.settimeout(0)
        with serving(ASKING, f'scripts.http_allow=["*:{port}"]') as s:
            for host in ("127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"):
                assert asked(s, f"http://{host}:{port}/") == "HttpForbidden", host
        with contextlib.suppress(BlockingIOError):
            raise AssertionError(f"somebody came: {listening.accept()}")


def test_a_list_of_hosts_that_cannot_be_meant_is_refused():
    refused = harness.run("check", "--set", 'scripts.http_allow=["https://example.com"]').expect(USAGE)
    assert "scripts.http_allow" in refused.err, refused.err
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write('[app.chat]\nhttp_allow = ["https://example.com"]\n')
        file.flush()
        refused = harness.run("check", "-c", file.name).expect(USAGE)
        assert "app.chat.http_allow" in refused.err, refused.err


WORKING = """
local gw = require "godwit"
gw.handle("sum", function(msg)
  local sum, err = gw.work("numbers", "sum", tonumber(msg:body()))
  msg:reply(sum and ("%.0f"):format(sum) or err.name)
end)
gw.handle("ping", function(msg) msg:reply("pong") end)
"""
NUMBERS = """
local numbers = {}
function numbers.sum(n)
  local sum = 0
  for i = 1, n do sum = (sum + i) % 1000003 end
  return sum
end
return numbers
"""


def test_long_work_is_done_elsewhere_and_holds_nobody_up():
    with serving(WORKING, "server.workers=1", 'scripts.burst_max="100ms"') as s:
        (s.folder / "scripts" / "app" / "numbers.lua").write_text(NUMBERS)
        control(s, "script", "reload", "app").expect(OK)
        assert s.request("sum", "--body", "1000").expect(OK).out == str(1000 * 1001 // 2)
        long = harness.start("request", s.address, "sum", "--body", "3e8", "--ca", s.certificate)
        for _ in range(3):
            began = time.monotonic()
            assert s.request("ping").expect(OK).out == "pong"
            assert time.monotonic() - began < 5
        count = 3 * 10**8
        assert harness.finish(long).expect(OK).out == str(count * (count + 1) // 2 % 1000003)


harness.main(globals())

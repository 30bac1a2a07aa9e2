#!/usr/bin/env python3
"""A peer that is not ours: quicgo, written in Go after schema/README.md, against a real server.

Skipped where Go or Debian's quic-go is missing. BUILD names the folder to build the peer in.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness
from harness import PATIENCE_S, ROOT, Server

GOPATH = pathlib.Path("/usr/share/gocode")
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build" / "tests" / "interop"))
PEER = BUILD / "quicgo"
SKIPPED = 77
# The first build compiles Go's standard library as well.
BUILD_S_MAX = 300

APP = """
local gw = require "godwit"
local noted = "nothing"
gw.handle("echo", function(msg) msg:reply(msg:body(), msg.headers) end)
gw.handle("event/note", function(msg) noted = msg:body() end)
gw.handle("query/note", function(msg) msg:reply(noted) end)
gw.handle("refuse", function(msg) msg:fail("Forbidden", "not today") end)
"""


def what_is_missing():
    if not shutil.which("go"):
        return "golang-go"
    if not (GOPATH / "src/github.com/lucas-clemente/quic-go").is_dir():
        return "golang-github-lucas-clemente-quic-go-dev"
    return None


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "CGO_ENABLED": "0",
                   "GOCACHE": str(BUILD / "go-cache")}
    subprocess.run(["go", "build", "-o", PEER, "."], cwd=HERE / "quicgo", env=environment, check=True, timeout=BUILD_S_MAX)


def run_peer(*arguments):
    """What the peer saw; it must not have ended in disagreement."""
    done = subprocess.run([PEER, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def visit(server, scenario, *arguments):
    return run_peer(scenario, server.address, server.certificate, *arguments)


def app_server():
    return Server({"app": APP})


def number(facts, name):
    """The number of a fact."""
    return next(int(fact.split()[1]) for fact in facts if fact.startswith(name + " "))


def worked_bytes():
    """The blocks of bytes on the protocol's page, by name."""
    page = (ROOT / "schema" / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```hex (\w+)\n(.*?)^```", page, re.M | re.S)
    return {name: "".join(re.sub(r";.*", "", text).split()) for name, text in blocks}


def test_its_bytes_are_those_of_the_page():
    page = worked_bytes()
    for name in ("hello", "request", "ack"):
        assert run_peer("bytes", name) == [page[name]], name


def test_hello_is_welcomed_with_what_binds_the_client():
    with app_server() as server:
        facts = visit(server, "greet", "sensor-7")
        assert number(facts, "session") > 0 and number(facts, "inline") == 1 << 20, facts
        assert number(facts, "outbox") > 0 and number(facts, "heartbeat") > 0, facts
        assert any(fact.startswith("server godwit/") for fact in facts), facts


def test_a_hello_without_a_client_id_is_refused_and_closed_with_the_same_code():
    with app_server() as server:
        facts = visit(server, "greet", "")
        assert facts[0].startswith("refuse ") and number(facts, "closed") == number(facts, "refuse"), facts


def test_a_request_on_the_shared_lane_is_answered_with_its_headers():
    with app_server() as server:
        facts = visit(server, "ask", "echo", "hello", "color=red", "empty=")
        assert facts[:4] == ["status 1", "code 0", "text ", "lane shared lane"], facts
        assert sorted(facts[4:6]) == ["header color=red", "header empty="] and facts[6:] == ["body hello"], facts


def test_an_empty_body_comes_back_empty():
    with app_server() as server:
        facts = visit(server, "ask", "echo", "")
        assert facts[0] == "status 1" and facts[-1] == "body ", facts


def test_failures_say_code_and_text():
    with app_server() as server:
        refused = visit(server, "ask", "refuse", "")
        assert refused[:3] == ["status 2", "code 6002", "text not today"], refused
        unknown = visit(server, "ask", "nobody.home", "")
        assert unknown[:2] == ["status 2", "code 4001"], unknown


def test_100_kib_travel_on_streams_of_their_own():
    with app_server() as server:
        facts = visit(server, "large", "echo", 100 << 10)
        assert facts[0] == "status 1" and facts[3:] == ["lane own stream", f"bytes {100 << 10}", "same true"], facts


def test_a_hundred_requests_over_both_lanes_are_answered_once_each_and_acknowledged():
    with app_server() as server:
        assert visit(server, "many", "echo", 100) == ["right 100", "unbroken 100"]


def test_an_event_is_acknowledged_after_it_was_handled():
    with app_server() as server:
        assert visit(server, "ask", "note", "")[-1] == "body nothing"
        assert visit(server, "tell", "note", "it rains") == ["acknowledged 1"]
        assert visit(server, "ask", "note", "")[-1] == "body it rains"


def test_an_event_that_nobody_handles_is_acknowledged_with_a_nack():
    with app_server() as server:
        facts = visit(server, "tell", "nobody.home", "")
        assert facts[:2] == ["refused 1", "code 4001"], facts


def test_another_protocol_is_refused_in_the_handshake():
    with app_server() as server:
        for alpn in ("other/1", "godwit/2"):
            # CRYPTO_ERROR with TLS' alert no_application_protocol (120).
            assert visit(server, "knock", alpn) == ["refused 0x178", "remote true"], alpn
        assert visit(server, "knock", "godwit/1") == ["let in"]


def test_a_stream_of_an_unknown_type_is_reset_and_the_connection_lives():
    with app_server() as server:
        facts = visit(server, "stranger")
        assert facts[:3] == ["bidirectional reset 3006", "bidirectional stopped 3006", "unidirectional stopped 3006"], facts
        assert facts[3] == "status 1" and facts[-1] == "body still here", facts


def test_an_own_stream_that_ends_early_is_refused_with_a_nack_and_the_connection_lives():
    with app_server() as server:
        facts = visit(server, "cut-short")
        assert facts[:2] == ["nack 1", "code 3004"] and facts[-1] == "body still here", facts


def test_a_frame_that_contradicts_itself_closes_the_connection():
    with app_server() as server:
        assert visit(server, "misfit") == ["closed 3003"]


def test_a_server_that_goes_says_goodbye():
    with app_server() as server:
        peer = subprocess.Popen([PEER, "linger", server.address, server.certificate], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        try:
            assert peer.stdout.readline() == "live\n", peer.communicate()
            assert server.stop() == 0
            out, err = peer.communicate(timeout=PATIENCE_S)
        finally:
            peer.kill()
        assert peer.returncode == 0 and out.startswith("goodbye "), out + err


if __name__ == "__main__":
    if missing := what_is_missing():
        print(f"skipped: there is no {missing}")
        sys.exit(SKIPPED)
    build()
    harness.main(globals())

#!/usr/bin/env python3
"""Peers that mean harm, against a real server: raw UDP, and the admin plane. Nothing here speaks QUIC properly.

Each attack ends with a request of somebody who means well; it is answered, or the attack has won.
"""

import contextlib
import os
import pathlib
import signal
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness
from harness import OK, Server, wait_until

QUIC_V1 = 1
UNKNOWN_VERSION = 0xBABABABA
INITIAL_BYTES_MIN = 1200
DATAGRAM_BYTES_MAX = 65507
STATELESS_RESETS_PER_S = 100


def long_header(version, size, cid=None):
    """A packet that looks like an Initial up to where its encryption begins, and is noise from there."""
    cid = cid or os.urandom(8)
    head = struct.pack(">BIB", 0xC0, version, len(cid)) + cid + b"\x08" + os.urandom(8)
    if version == QUIC_V1:
        head += b"\x00" + struct.pack(">H", 0x4000 | (size - len(head) - 3))
    return head + os.urandom(max(0, size - len(head)))


def short_header(size):
    return b"\x40" + os.urandom(size - 1)


class Stranger:
    """A UDP socket of its own."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", server.port))

    def send(self, datagram):
        self.socket.send(datagram)

    def answers(self):
        """Everything that comes. The only worker reads in order: once somebody who asked later has his answer, whatever
        these datagrams bring is here."""
        expect_served(self.server)
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.socket.recv(DATAGRAM_BYTES_MAX, socket.MSG_DONTWAIT))
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def resident_kib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def open_files(server):
    return len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))


def expect_served(server):
    answer = server.request("echo", "--body", "well").expect(OK)
    assert answer.out.strip() == "well", answer.out
    assert server.process.poll() is None


def test_noise_of_every_size_is_dropped_unanswered_or_answered_with_less():
    with Server() as server, Stranger(server) as stranger:
        for size in [0, 1, 2, 5, 6, 7, 20, 21, 100, 1199, 1200, 1201, 1452, 9000, 40_000, DATAGRAM_BYTES_MAX]:
            for first in (0x00, 0x40, 0x7F, 0x80, 0xC0, 0xD0, 0xE0, 0xFF):
                stranger.send((bytes([first]) + os.urandom(size))[:size])
            sent, received = 8 * size, sum(map(len, stranger.answers()))
            assert received <= sent, f"{received} bytes for {sent} in datagrams of {size}"
        expect_served(server)


def test_an_unknown_version_is_answered_once_and_only_where_an_initial_would_fit():
    with Server() as server, Stranger(server) as stranger:
        cid = os.urandom(8)
        stranger.send(long_header(UNKNOWN_VERSION, INITIAL_BYTES_MIN - 1, cid=cid))
        assert stranger.answers() == []
        stranger.send(long_header(UNKNOWN_VERSION, INITIAL_BYTES_MIN, cid=cid))
        (answer,) = stranger.answers()
        assert answer[0] & 0x80 and answer[1:5] == bytes(4), answer
        versions = struct.unpack(f">{len(answer[23:]) // 4}I", answer[23:])
        assert cid in answer and QUIC_V1 in versions and UNKNOWN_VERSION not in versions, answer
        # Nobody negotiates with a negotiation: two servers would never end.
        stranger.send(long_header(0, INITIAL_BYTES_MIN))
        assert stranger.answers() == []


def test_an_initial_in_a_small_datagram_is_dropped():
    with Server() as server, Stranger(server) as stranger:
        stranger.send(long_header(QUIC_V1, INITIAL_BYTES_MIN - 1))
        assert stranger.answers() == []
        wait_until(lambda: '{reason="small_initial"} 1' in server.get("/metrics")[1])
        expect_served(server)


def test_resets_are_smaller_than_what_they_answer_and_few():
    with Server() as server, Stranger(server) as stranger:
        stranger.send(short_header(21))
        assert stranger.answers() == []
        stranger.send(short_header(50))
        (reset,) = stranger.answers()
        assert len(reset) <= 49 and not reset[0] & 0x80, reset
        began = time.monotonic()
        for _ in range(3_000):
            stranger.send(short_header(50))
        resets = stranger.answers()
        # A full bucket to begin with, and what flows in meanwhile.
        most = STATELESS_RESETS_PER_S * (2 + time.monotonic() - began)
        assert 0 < len(resets) <= most, f"{len(resets)} resets, {most} are allowed"
        expect_served(server)


def test_a_flood_of_forged_initials_costs_bounded_memory_and_leaves_room_for_others():
    with Server() as server:
        expect_served(server)
        before, files = resident_kib(server), open_files(server)
        with Stranger(server) as stranger:
            stranger.socket.setblocking(False)
            until = time.monotonic() + 2
            while time.monotonic() < until:
                for _ in range(20):
                    stranger.send(long_header(QUIC_V1, INITIAL_BYTES_MIN))
                time.sleep(0.01)  # 2,000 a second: the rate is the attack
            expect_served(server)
        growth = resident_kib(server) - before
        assert growth < 64 << 10, f"{growth} KiB for forged packets"
        assert open_files(server) <= files + 2, "files stay open"


def admin_talk(server, request):
    """What comes back, also when the server hangs up before it has heard all."""
    host, _, port = server.admin.rpartition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=harness.PATIENCE_S) as visitor:
        try:
            visitor.sendall(request)
            while chunk := visitor.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def test_the_admin_plane_refuses_whatever_is_not_a_plain_question():
    refused = {
        b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n": b"421",
        b"GET /health HTTP/1.1\r\n\r\n": b"400",
        b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n": b"405",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n": b"404",
        b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n": b"404",
    }
    with Server() as server:
        for request, status in refused.items():
            answer = admin_talk(server, request)
            assert answer.startswith(b"HTTP/1.1 " + status), (request, answer[:200])
            assert b"root:" not in answer
        huge = admin_talk(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
        assert not huge.startswith(b"HTTP/1.1 200"), huge[:200]
        assert server.get("/health")[0] == 200
        expect_served(server)


def test_half_asked_questions_and_noise_do_not_keep_a_server_from_going_down():
    with Server() as server, Stranger(server) as stranger:
        host, _, port = server.admin.rpartition(":")
        half = [socket.create_connection((host, int(port))) for _ in range(8)]
        for visitor in half:
            visitor.sendall(b"GET /health HTTP/1.1\r\nHo")
        for _ in range(200):
            stranger.send(long_header(QUIC_V1, INITIAL_BYTES_MIN))
        began = time.monotonic()
        assert server.stop(signal.SIGTERM) == OK
        assert time.monotonic() - began < 12, "half a question held up the end"
        for visitor in half:
            visitor.close()


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""The shaper does what it is told: each fault is measured between two sockets, with the shaper's program between them."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

SHAPER = os.environ["SHAPER"]
COUNT = 4000


class Path:
    """A client's and a server's socket with a shaper between them."""

    def __init__(self, *arguments):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for end in (self.server, self.client):
            end.bind(("127.0.0.1", 0))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            end.settimeout(harness.PATIENCE_S)
        port = self.server.getsockname()[1]
        self.process = subprocess.Popen([SHAPER, "--to", f"127.0.0.1:{port}", "--seed", "7", *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self.out = harness.Lines(self.process.stdout)
        self.client.connect(("127.0.0.1", int(self.out.wait_for(r"^shaper ready listen=\S+:(\d+)")[1])))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.server.close()
        self.client.close()

    def say(self, line, answer="^ok$"):
        self.process.stdin.write(line + "\n")
        return self.out.wait_for(answer)

    def stats(self):
        return json.loads(self.say("stats", r"^\{.*")[0])

    def send(self, numbers, size=100):
        """Numbered packets upwards, a few at a time, so that no socket's buffer overflows on the way."""
        for number in numbers:
            self.client.send(number.to_bytes(4, "big") + bytes(size - 4))
            if number % 50 == 49:
                self.settle(number + 1)

    def settle(self, packets):
        harness.wait_until(lambda: self.stats()["up"]["packets"] >= packets)

    def receive(self, count):
        return [int.from_bytes(self.server.recv(65536)[:4], "big") for _ in range(count)]

    def pass_all(self, count=COUNT, size=100):
        """What arrives of so many packets, in the order of its arrival, and the shaper's own count."""
        self.send(range(count), size)
        self.settle(count)
        up = self.stats()["up"]
        return self.receive(up["delivered"] + up["duplicated"]), up


def test_without_faults_everything_passes_both_ways_in_order():
    with Path() as path:
        arrived, up = path.pass_all(1000)
        assert arrived == list(range(1000)) and up["delivered"] == 1000, up
        path.client.send(b"ping")
        data, back = path.server.recvfrom(100)
        path.server.sendto(data + b"pong", back)
        assert path.client.recv(100) == b"pingpong"
        assert path.stats()["down"]["delivered"] == 1


def test_loss_takes_its_share_alone_or_in_bursts_and_one_way_only():
    with Path("--up-loss", "20%") as path:
        arrived, up = path.pass_all()
        assert len(arrived) == COUNT - up["lost"] and 0.17 * COUNT < up["lost"] < 0.23 * COUNT, up
        assert path.stats()["down"]["lost"] == 0
        path.say("up burst 5")
        path.send(range(COUNT, 2 * COUNT))
        path.settle(2 * COUNT)
        lost = path.stats()["up"]["lost"] - up["lost"]
        assert 0.14 * COUNT < lost < 0.26 * COUNT, lost
        later = path.receive(COUNT - lost)
        gaps = [b - a - 1 for a, b in zip(later, later[1:]) if b - a > 1]
        assert all(gap >= 5 for gap in gaps) and len(gaps) > 50, gaps


def test_the_same_seed_loses_the_same_packets():
    with Path("--loss", "10%") as one, Path("--loss", "10%") as other:
        assert one.pass_all(500)[0] == other.pass_all(500)[0]


def test_duplicates_arrive_twice():
    with Path("--duplicate", "10%") as path:
        arrived, up = path.pass_all()
        assert 0.08 * COUNT < up["duplicated"] < 0.12 * COUNT, up
        assert len(arrived) - len(set(arrived)) == up["duplicated"]


def test_reordered_packets_are_overtaken_and_none_is_missing():
    with Path("--reorder", "5%", "--reorder-by", "20ms") as path:
        arrived, up = path.pass_all()
        assert 0.03 * COUNT < up["reordered"] < 0.07 * COUNT, up
        assert sorted(arrived) == list(range(COUNT)) and arrived != sorted(arrived)


def test_jitter_keeps_the_order_and_delay_holds_every_packet():
    with Path("--delay", "50ms", "--jitter", "20ms") as path:
        began = time.monotonic()
        path.send(range(40))
        arrived = path.receive(40)
        assert arrived == list(range(40))
        assert time.monotonic() - began >= 0.03
        path.say("clear")
        path.say("up delay 300ms")
        began = time.monotonic()
        path.send([40])
        assert path.receive(1) == [40] and time.monotonic() - began >= 0.3


def test_a_rate_takes_its_time_and_a_full_queue_drops():
    with Path("--up-rate", "800kbit", "--queue", "1MiB") as path:
        began = time.monotonic()
        arrived, _ = path.pass_all(50, 1000)
        # 50 kB at 100 kB a second.
        assert len(arrived) == 50 and time.monotonic() - began >= 0.48
        path.say("up queue 5KiB")
        path.say("up rate 8kbit")
        path.send(range(50, 100), 1000)
        path.settle(100)
        assert path.stats()["up"]["queue_full"] >= 40, path.stats()


def test_packets_beyond_the_mtu_are_swallowed():
    with Path("--mtu", "1200") as path:
        path.client.send(bytes(1201))
        path.client.send(b"last" + bytes(1196))
        assert path.server.recv(65536)[:4] == b"last"
        assert path.stats()["up"]["too_long"] == 1


def test_a_corrupted_packet_has_one_bit_turned_over():
    with Path("--corrupt", "100%") as path:
        sent = bytes(range(100))
        path.client.send(sent)
        arrived = path.server.recv(65536)
        difference = int.from_bytes(sent, "big") ^ int.from_bytes(arrived, "big")
        assert len(arrived) == 100 and bin(difference).count("1") == 1


def test_a_blackhole_swallows_until_it_is_lifted():
    with Path() as path:
        path.say("blackhole on")
        path.send(range(10))
        path.settle(10)
        path.say("blackhole off")
        path.send([10])
        assert path.receive(1) == [10] and path.stats()["up"]["swallowed"] == 10


def test_after_a_rebind_the_client_has_another_port_and_both_ways_work():
    with Path() as path:
        path.client.send(b"one")
        _, before = path.server.recvfrom(100)
        path.say("rebind")
        path.client.send(b"two")
        _, after = path.server.recvfrom(100)
        assert after != before
        path.server.sendto(b"lost", before)
        path.server.sendto(b"back", after)
        assert path.client.recv(100) == b"back"


def test_what_it_does_not_understand_is_said_and_changes_nothing():
    with Path("--loss", "0") as path:
        path.say("loss a lot", r"^error loss a: expected a share")
        path.say("gravity 9", r"^error gravity 9: unknown")
        assert len(path.pass_all(100)[0]) == 100
        path.say("quit")
        assert path.process.wait(harness.PATIENCE_S) == 0
    assert subprocess.run([SHAPER, "--to", "127.0.0.1:1", "--loss", "200%"], capture_output=True).returncode == 2


if __name__ == "__main__":
    harness.main(globals())

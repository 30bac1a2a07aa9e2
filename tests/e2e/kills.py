#!/usr/bin/env python3
"""A hundred times a server or a client is killed at any moment, under load: nothing is handled twice, out of order or unsaid."""

import os
import pathlib
import random
import shutil
import subprocess
import time

import harness
from harness import Server

CLIENT = os.environ["KILL_CLIENT"]
SEED = int(os.environ.get("KILL_SEED", "1"))
ROUNDS = int(os.environ.get("KILL_ROUNDS", "100"))
# A lost connection is noticed after three silent intervals.
CONFIG = '[session]\nheartbeat_interval = "200ms"\nresume_window = "2s"\n'
WITNESS = pathlib.Path(os.environ["TEST_PLUGINS"]) / "witness.so"


class WitnessedServer(Server):
    """Its handler writes down what it handles before it answers, so that a kill forgets nothing."""

    def write_config(self, more):
        self.seen = self.folder / "seen"
        folder = self.folder / "plugins"
        folder.mkdir(mode=0o755)
        shutil.copy(WITNESS, folder)
        super().write_config(f'{more}[plugins]\npaths = ["plugins"]\n[plugins.witness.config]\nfile = "{self.seen}"\n')


class Client:
    def __init__(self, address, life):
        self.life = life
        self.process = subprocess.Popen([CLIENT, address, str(life)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.out = harness.Lines(self.process.stdout)
        self.killed = False
        self.out.wait_for("^done ")

    def kill(self):
        self.killed = True
        self.process.kill()
        self.process.wait(harness.PATIENCE_S)
        self.process.stdin.close()
        self.out.rest()

    def finish(self):
        self.process.stdin.close()
        assert self.process.wait(harness.PATIENCE_S) == 0
        self.out.rest()

    def numbers(self, what):
        return [int(line.split()[-1]) for line in self.out.seen if line.startswith(what)]


class Ledger:
    """What the handlers of all lives of the server have seen, in order."""

    def __init__(self, lines):
        self.seen = {}
        for line in lines:
            life, number = line.split(":")
            self.seen.setdefault(int(life), []).append(int(number))

    def check(self, client):
        seen, sent = self.seen.get(client.life, []), client.numbers("sent")
        done, failed = client.numbers("done"), client.numbers("failed")
        assert seen == sorted(set(seen)), f"life {client.life}: twice, or out of order"
        assert set(seen) <= set(sent), f"life {client.life}: handled and never sent"
        assert set(done) <= set(seen), f"life {client.life}: answered and never handled"
        if client.killed:
            return
        assert sorted(done + failed) == sent, f"life {client.life}: not exactly one outcome each"
        told = {line.split()[1] for line in client.out.seen if line.startswith("failed")}
        assert told <= {"SessionLost", "ConnectFailed", "IdleTimeout"}, told


def test_a_hundred_kills_under_load_double_nothing_and_leave_nothing_unsaid():
    chance, ended = random.Random(SEED), []
    with WitnessedServer(config=CONFIG) as server:
        server.keep_address()
        alive = [Client(server.address, life) for life in (1, 2)]
        server_kills = 0
        for round_ in range(ROUNDS):
            time.sleep(chance.uniform(0.0, 0.1))
            if chance.random() < 0.4:
                server_kills += 1
                server.kill()
                server.start_again()
            else:
                victim = alive.pop(chance.randrange(len(alive)))
                victim.kill()
                ended.append(victim)
                alive.append(Client(server.address, 3 + round_))
        for client in alive:
            client.finish()
        ended += alive
        harness.wait_until(lambda: server.metric("godwit_sessions") == 0)
        assert server.metric("godwit_promises") == 0
        assert server.stop() == 0
        ledger = Ledger(server.seen.read_text().splitlines())
    for client in ended:
        ledger.check(client)
    assert 0 < server_kills < ROUNDS and sum(map(len, ledger.seen.values())) > ROUNDS


if __name__ == "__main__":
    harness.main(globals())

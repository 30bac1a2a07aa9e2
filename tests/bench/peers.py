"""Other systems in the same run, so that ratios do not depend on what else the machine does.

A folder of peers holds the floor, ngbench.c and ngmulti.c (bare ngtcp2 and wolfSSL, with wqdirect.c in place of the slow parts of
the crypto helper), mkcerts.sh for its certificates, and quicgo/ (quic-go). What cannot be built here is left out, and said.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import harness

MESSAGES = re.compile(r": (?P<rate>[\d.]+) msg/s .*?p50 (?P<p50>[\d.]+)us p99 (?P<p99>[\d.]+)us")
CONNECTS = re.compile(r": (?P<rate>[\d.]+) conn(ects)?/s")

# Row of ours → what the floor is asked for: environment, program, arguments.
FLOOR = {
    "request 64 B, 1 in flight": ({}, "ngbench", ["udp", "frames", "64", "1"]),
    "request 64 B, 1 in flight, poll": ({"SPINUS": "30"}, "ngbench", ["udp", "frames", "64", "1"]),
    "request 64 B, 16 in flight": ({}, "ngbench", ["udp", "frames", "64", "16"]),
    "request 64 B, 16 in flight, poll": ({"SPINUS": "30"}, "ngbench", ["udp", "frames", "64", "16"]),
    "request 64 B, 128 in flight": ({}, "ngbench", ["udp", "frames", "64", "128"]),
    "request 1 KiB, 128 in flight": ({}, "ngbench", ["udp", "frames", "1024", "128"]),
    "request 64 KiB, 16 in flight": ({}, "ngbench", ["udp", "msgs", "65536", "16"]),
    "request 1 MiB, 16 in flight": ({}, "ngbench", ["udp", "msgs", "1048576", "16"]),
    "request 64 B, 100 clients x 1": ({}, "ngmulti", ["100", "64", "1"]),
    "request 64 B, 100 clients x 16": ({}, "ngmulti", ["100", "64", "16"]),
    "connect, 16 at once": ({}, "ngmulti", ["2000", "64", "1", "0"]),
}
# The same of quic-go: mode, connections, in flight, bytes.
QUIC_GO = {
    "request 64 B, 1 in flight": ("pstream", 1, 1, 64),
    "request 64 B, 16 in flight": ("pstream", 1, 16, 64),
    "request 64 B, 128 in flight": ("pstream", 1, 128, 64),
    "request 1 KiB, 128 in flight": ("echo", 1, 128, 1024),
    "request 64 KiB, 16 in flight": ("echo", 1, 16, 65536),
    "request 64 B, 100 clients x 1": ("pstream", 100, 1, 64),
    "request 64 B, 100 clients x 16": ("pstream", 100, 16, 64),
    "connect, 16 at once": ("connects", 1, 16, 64),
}


def sh(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, **options)


class Peers:
    """What could be built of the peers, ready to run. Everything lies in a scratch folder."""

    def __init__(self, folder, dependencies):
        self._source = pathlib.Path(folder).resolve()
        self._dependencies = pathlib.Path(dependencies)
        self._scratch = tempfile.TemporaryDirectory(prefix="godwit-peers-")
        self._built = pathlib.Path(self._scratch.name)
        self._have = {name for name in ("floor", "quic-go") if self._try(name)}

    def _try(self, name):
        try:
            {"floor": self._build_floor, "quic-go": self._build_quic_go}[name]()
            return True
        except (OSError, subprocess.SubprocessError) as error:
            why = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            print(f"peer {name} is left out: {why[-1] if why else error}", file=sys.stderr)
            return False

    def _build_floor(self):
        sh(["bash", self._source / "mkcerts.sh", "certs"], cwd=self._built)
        packages = self._dependencies / "lib" / "pkgconfig"
        environment = dict(os.environ, PKG_CONFIG_PATH=str(packages))
        flags = sh(["pkg-config", "--cflags", "--libs", "libngtcp2_crypto_wolfssl"], env=environment).stdout.split()
        helper = self._built / "libngtcp2_crypto_wolfssl.a"
        shutil.copy((packages / "libngtcp2_crypto_wolfssl.pc").resolve().parents[1] / helper.name, helper)
        sh(["objcopy", "--weaken", helper])
        flags = [str(helper) if flag == "-lngtcp2_crypto_wolfssl" else flag for flag in flags]
        for program in ("ngbench", "ngmulti"):
            sh(["cc", "-O2", "-w", "-o", self._built / program, self._source / f"{program}.c", self._source / "wqdirect.c",
                *flags, "-lm", "-lpthread"], cwd=self._source)

    def _build_quic_go(self):
        if not (self._built / "certs").exists():
            sh(["bash", self._source / "mkcerts.sh", "certs"], cwd=self._built)
        go = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(self._built / "go-cache"),
                  GOFLAGS="-buildvcs=false")
        sh(["go", "build", "-o", self._built / "quicgo"], cwd=self._source / "quicgo", env=go)

    def measure(self, row, seconds):
        """Figures of each peer that has something to say about this row, as (peer, dict)."""
        if "floor" in self._have and row in FLOOR:
            environment, program, arguments = FLOOR[row]
            timed = [] if row.startswith("connect") else [str(seconds)]
            output = sh([self._built / program, *arguments, *timed], env=dict(os.environ, CERT="certs", **environment),
                        cwd=self._built).stdout
            yield from self._figures("floor", output)
        if "quic-go" in self._have and row in QUIC_GO:
            yield from self._figures("quic-go", self._run_quic_go(QUIC_GO[row], seconds))

    def _run_quic_go(self, what, seconds):
        mode, connections, in_flight, size = what
        program, address = self._built / "quicgo", f"127.0.0.1:{harness.free_udp_port()}"
        server = subprocess.Popen([program, "-server", "-addr", address, "-cert", "certs"], cwd=self._built,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return sh([program, "-addr", address, "-cert", "certs", "-mode", mode, "-conns", str(connections), "-inflight",
                       str(in_flight), "-size", str(size), "-dur", f"{seconds}s"], cwd=self._built).stdout
        finally:
            server.kill()
            server.wait()

    @staticmethod
    def _figures(peer, output):
        for pattern in (MESSAGES, CONNECTS):
            if match := pattern.search(output):
                yield peer, {name: float(value) for name, value in match.groupdict().items()}
                return
        print(f"peer {peer} said nothing to read: {json.dumps(output[:300])}", file=sys.stderr)

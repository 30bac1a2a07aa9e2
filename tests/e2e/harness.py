"""Real processes for the tests: a server on free ports in a scratch folder, and the command beside it.

Nothing sleeps for a fixed time: tests wait for lines, answers or exits, each with a deadline.
Every script here ends in `harness.main(globals())`, which runs its functions named `test_…`; their names are the sentences
they prove. GODWIT names the command under test (default: build/godwit of this checkout).
"""

import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GODWIT = pathlib.Path(os.environ.get("GODWIT", ROOT / "build" / "godwit"))
# Sanitized and busy machines are slow; nothing waits so long when all is well.
PATIENCE_S = 30

OK, PEER_FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130

ECHO = """
local gw = require "godwit"
gw.handle("echo", function(msg) msg:reply(msg:body()) end)
"""
# For handlers that are to be slow: some 5 to 20 ms of work per round. Time stands still while a handler runs, so a handler
# cannot wait for it to pass.
SPIN = """
local function spin(rounds)
  local sum = 0
  for i = 1, rounds * 1e6 do sum = (sum + i) % 1000003 end
  return sum
end
"""


class Lines:
    """The lines of a pipe, read by a thread so that no writer ever blocks; all of them are kept."""

    def __init__(self, pipe):
        self.seen = []
        self._new = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        for line in pipe:
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    def wait_for(self, pattern, timeout=PATIENCE_S):
        """The next line that matches; lines before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._new.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line matches {pattern!r}; there were:\n" + "\n".join(self.seen))
            self.seen.append(line)
            if match := re.search(pattern, line):
                return match

    def rest(self, timeout=PATIENCE_S):
        """Everything, once the writer has ended."""
        self._thread.join(timeout)
        while not self._new.empty():
            if (line := self._new.get()) is not None:
                self.seen.append(line)
        return "\n".join(self.seen)


class Server:
    """`godwit serve` in a folder of its own. `apps` maps names to the text of main.lua."""

    def __init__(self, apps=None, config="", arguments=(), dev=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="godwit-e2e-"))
        for name, text in (apps or {"echo": ECHO}).items():
            self.write_app(name, text)
        self.config_file = self.folder / "godwit.toml"
        self.write_config(config)
        self._command = [GODWIT, "serve", "-c", self.config_file, *(["--dev"] if dev else []), *arguments]
        self._start()

    def _start(self):
        self.process = subprocess.Popen(self._command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, errors="replace")
        self.out = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)

    def write_config(self, more):
        """`more` is TOML: sections of its own, or keys of [server] before the first section."""
        self.config_file.write_text(f"""
[admin]
http = "127.0.0.1:0"
[scripts]
paths = ["scripts"]
debounce = "20ms"
[server]
listen = "127.0.0.1:0"
data_dir = "data"
workers = 1
{more}
""")

    def write_app(self, name, text):
        """Replaces the app's main.lua in one step, as editors do."""
        folder = self.folder / "scripts" / name
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / "main.lua.new"
        fresh.write_text(text)
        fresh.rename(folder / "main.lua")

    def wait_ready(self):
        match = self.out.wait_for(r"^godwit ready quic=(\S+) .*?admin=(\S+)")
        self.address, self.admin = match[1], match[2]
        return self

    @property
    def port(self):
        return int(self.address.rpartition(":")[2])

    @property
    def certificate(self):
        return self.folder / "data" / "dev-certificate.pem"

    def request(self, action, *arguments, **options):
        return run("request", self.address, action, "--ca", self.certificate, *arguments, **options)

    def send(self, action, *arguments, **options):
        return run("send", self.address, action, "--ca", self.certificate, *arguments, **options)

    def bench(self, *arguments, **options):
        return run("bench", self.address, "--ca", self.certificate, "--json", *arguments, **options)

    def start_request(self, action, *arguments):
        return start("request", self.address, action, "--ca", self.certificate, *arguments)

    def get(self, path):
        """Status and text of a page of the admin plane."""
        try:
            with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """The sum of a metric's samples."""
        samples = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", self.get("/metrics")[1], re.M)
        assert samples, f"no metric {name}"
        return sum(map(float, samples))

    def kill(self):
        """As a power cut does it."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def keep_address(self):
        """From the next start on it listens where it listens now."""
        self._command += ["--set", f'server.listen="{self.address}"']

    def start_again(self):
        """In the same folder, on another port unless it keeps its address."""
        self._start()
        return self.wait_ready()

    def stop(self, with_signal=signal.SIGTERM):
        """The exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        try:
            return self.wait_ready()
        except BaseException:
            print("\n".join(self.log.seen) + "\n" + self.log.rest(1), file=sys.stderr)
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if kind:
            print("--- the server's log:\n" + self.log.rest(), file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)


class Finished:
    """A command that has ended."""

    def __init__(self, command, process, out, err, seconds):
        self.code, self.out, self.err, self.seconds = process.returncode, out, err, seconds
        self._command = command

    @property
    def json(self):
        return json.loads(self.out)

    def expect(self, code):
        assert self.code == code, f"{self._command}\nexit code {self.code}, not {code}\n{self.out}\n{self.err}"
        return self


def start(*arguments, **options):
    return subprocess.Popen([GODWIT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=options.pop("stdin", subprocess.DEVNULL), text=True, errors="replace", **options)


def finish(process, stdin=None, began=None):
    out, err = process.communicate(stdin, timeout=PATIENCE_S)
    return Finished(process.args, process, out, err, time.monotonic() - began if began else None)


def run(*arguments, stdin=None, **options):
    began = time.monotonic()
    if stdin is not None:
        options["stdin"] = subprocess.PIPE
    return finish(start(*arguments, **options), stdin, began)


def end_load(bench):
    """Ends a `godwit bench` that was started to last: it waits for what it has sent, and prints its figures."""
    bench.send_signal(signal.SIGINT)
    return finish(bench)


def free_udp_port():
    """Nobody listens there, unless somebody takes it meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout=PATIENCE_S):
    """For what can only be asked again and again: a metric, a page."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        pause.wait(0.02)


def main(names):
    """Runs every test of a script; the summary is in the words that tests/tally reads."""
    tests = [(name, test) for name, test in names.items() if name.startswith("test_")]
    wanted = sys.argv[1:]
    failed = 0
    for name, test in tests:
        if wanted and name not in wanted:
            continue
        began = time.monotonic()
        try:
            test()
            print(f"ok      {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # a test may fail in any way; the others still run
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    count = len(wanted) or len(tests)
    if failed:
        print(f"test cases: {count} | {count - failed} passed | {failed} failed")
        sys.exit(1)
    print(f"All tests passed ({count} assertions in {count} test cases)")

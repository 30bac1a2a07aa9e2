#!/usr/bin/env python3
"""The examples run, and so do the lines that the README shows."""

import os
import pathlib
import subprocess

import harness
from harness import Server

EXAMPLES = pathlib.Path(os.environ["EXAMPLES"])


def example(name, address):
    return subprocess.run([EXAMPLES / name, address], capture_output=True, text=True, timeout=harness.PATIENCE_S)


def test_five_lines_of_cpp_get_an_answer():
    with Server() as server:
        ran = example("hello", server.address)
        assert (ran.returncode, ran.stdout) == (0, "hello\n"), ran


def test_c_gets_an_answer_and_an_acknowledgement():
    with Server() as server:
        ran = example("hello_c", server.address)
        assert (ran.returncode, ran.stdout) == (0, "hello\nthe event was handled\n"), ran


def test_a_program_with_its_own_loop_gets_its_answers_in_it():
    with Server() as server:
        ran = example("own_loop", server.address)
        lines = ran.stdout.splitlines()
        assert ran.returncode == 0 and "tick" in lines, ran
        assert [line for line in lines if line != "tick"] == ["answer 1", "answer 2", "answer 3"], ran


def test_a_program_with_its_own_loop_is_told_what_is_wrong_with_its_options():
    ran = example("own_loop", "nowhere")
    assert ran.returncode == 1 and ran.stdout.strip(), ran


def test_without_a_handler_the_examples_say_so():
    with Server({"other": 'require("godwit").handle("other", function() end)\n'}) as server:
        for name in ["hello", "hello_c"]:
            ran = example(name, server.address)
            assert ran.returncode == 1 and "HandlerNotFound" in ran.stdout, ran


def test_the_lines_of_the_readme_get_an_answer():
    with Server() as server:
        ran = subprocess.run([os.environ["README_EXAMPLE"], server.address], capture_output=True, text=True,
                             timeout=harness.PATIENCE_S)
        assert (ran.returncode, ran.stdout) == (0, "hello\n"), ran


if __name__ == "__main__":
    harness.main(globals())

#!/usr/bin/env python3
"""The command line itself: help, usage errors, and the verbs that need no server."""

import pathlib
import re
import tempfile

import subprocess

import harness
from harness import OK, USAGE, run

# Each with the verbs below it.
VERBS = {"serve": [], "check": [], "request": [], "send": [], "listen": [], "bench": [], "reload": [], "test": [], "lint": [],
         "errors": [], "version": [], "config": ["show", "default", "diff"], "plugin": ["inspect", "ls", "reload"],
         "script": ["ls", "reload", "rollback", "run", "eval"], "new": ["app", "plugin"]}


def test_every_verb_explains_itself():
    top = run("--help").expect(OK).out
    for verb, below in VERBS.items():
        assert re.search(rf"^  {verb} +\S", top, re.M), verb
        text = run(verb, "--help").expect(OK).out
        for sub in below:
            assert re.search(rf"^  {sub} +\S", text, re.M) and "--help" in text, (verb, sub)
            text += run(verb, sub, "--help").expect(OK).out
        assert "Examples:" in text, verb


def test_usage_errors_exit_2_and_name_the_code_and_the_help():
    for arguments in [[], ["requst"], ["request"], ["request", "127.0.0.1:1", "echo", "--nonsense"],
                      ["request", "no-port", "echo"], ["request", "127.0.0.1:1", "echo", "--timeout", "5 parsecs"],
                      ["request", "127.0.0.1:1", "echo", "--header", "no-equals-sign"],
                      ["request", "127.0.0.1:1", "echo", "--kind", "event"],
                      ["request", "127.0.0.1:1", "echo", "--insecure", "--ca", "x.pem"],
                      ["bench", "127.0.0.1:1", "--size", "1000GiB"], ["bench", "127.0.0.1:1", "--duration", "0s"],
                      ["bench", "127.0.0.1:1", "--count", "0"], ["listen", "127.0.0.1:1", "--count", "0"],
                      ["bench", "127.0.0.1:1", "--rate", "nan"], ["bench", "127.0.0.1:1", "--rate", "-nan"],
                      ["bench", "127.0.0.1:1", "--rate", "inf"],
                      ["bench", "127.0.0.1:1", "--in-flight", "0"], ["bench", "127.0.0.1:1", "--pattern", "storm"]]:
        failed = run(*arguments).expect(USAGE)
        assert "UsageInvalid (8002)" in failed.err, arguments
        assert "--help" in failed.err
        assert len(failed.err) < 500, failed.err
        assert failed.out == ""


def test_a_verb_that_does_not_exist_is_repeated_with_the_one_that_was_meant():
    for arguments, words in [(["requst"], "there is no 'requst'; did you mean 'request'?; see: godwit --help"),
                             (["script", "lss"], "there is no 'lss'; did you mean 'ls'?; see: godwit script --help"),
                             (["dance"], "there is no 'dance'; see"), (["--verbose"], "there is no '--verbose'; see"),
                             ([], "subcommand is required"), (["request"], "ADDR is required")]:
        failed = run(*arguments).expect(USAGE)
        assert words in failed.err, failed.err


def test_sections_about_nobody_are_told():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch, "greeter")
        folder.mkdir()
        pathlib.Path(folder, "main.lua").write_text('require("godwit").handle("x", function() end)')
        settings = ['[scripts]', f'paths = ["{scratch}"]', '[app.greter]', '[plugins.ecko]', '[plugins.off]', 'enabled = false']
        file = pathlib.Path(scratch, "godwit.toml")
        file.write_text("\n".join(settings))
        checked = run("check", "-c", file).expect(OK)
        assert "[app.greter] is about nobody: there is no app of that name; did you mean 'greeter'?" in checked.err, checked.err
        assert "[plugins.ecko] is about nobody: there is no plugin of that name" in checked.err, checked.err
        assert "plugins.off" not in checked.err, checked.err


def test_a_file_that_is_not_there_exits_2_before_connecting():
    for arguments in [["--body", "@/nonexistent"], ["--ca", "/nonexistent"], ["--token-file", "/nonexistent"]]:
        failed = run("request", "127.0.0.1:1", "echo", *arguments).expect(USAGE)
        assert "FileUnreadable (8003)" in failed.err, failed.err


def test_devices_in_place_of_files_are_refused_at_once():
    endless = run("request", "127.0.0.1:1", "echo", "--insecure", "--token-file", "/dev/zero").expect(USAGE)
    assert "FileUnreadable (8003)" in endless.err and "the first line must be the token" in endless.err, endless.err
    empty = run("request", "127.0.0.1:1", "echo", "--ca", "/dev/null").expect(USAGE)
    assert "/dev/null: no certificate in PEM form" in empty.err, empty.err


def test_a_token_is_the_first_line_with_or_without_its_end_up_to_the_limit():
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch, "token")
        for text, readable in [("secret\nmore\n", True), ("secret", True), ("x" * 4096, True), ("x" * 4096 + "\n", True),
                               ("x" * 4097, False), ("x" * 4097 + "\n", False), ("", False)]:
            file.write_text(text)
            ran = run("request", "127.0.0.1:1", "echo", "--insecure", "--timeout", "1ms", "--token-file", file)
            assert ("FileUnreadable" not in ran.err) == readable, (text[:10], len(text), ran.err)


def test_listen_tells_the_exit_code_of_a_first_command_that_fails():
    assert "1 a --first failed" in run("listen", "--help").expect(OK).out


def test_check_warns_of_handlers_that_no_message_reaches():
    with tempfile.TemporaryDirectory() as scratch:
        for name, patterns in [("first", ["chat.say", "query/now"]), ("second", ["chat.*", "*/chat.say"])]:
            folder = pathlib.Path(scratch, name)
            folder.mkdir()
            binds = "".join(f'gw.handle("{pattern}", function() end)\n' for pattern in patterns)
            pathlib.Path(folder, "main.lua").write_text('local gw = require "godwit"\n' + binds)
        checked = run("check", "--set", f'scripts.paths=["{scratch}"]').expect(OK)
        assert "4 handlers" in checked.out
        warnings = [line for line in checked.err.splitlines() if "never reached" in line]
        assert len(warnings) == 1, checked.err
        assert "'*/chat.say' at second/main.lua:3" in warnings[0] and "'chat.say' at first/main.lua:2" in warnings[0], warnings


def test_version_and_errors_speak_to_people_and_machines():
    assert run("version").expect(OK).out.startswith("godwit ")
    version = run("version", "--json").expect(OK).json
    assert version["protocol"] == "godwit/1" and version["version"] in run("--version").expect(OK).out
    listed = run("errors").expect(OK).out
    codes = run("errors", "--json").expect(OK).json
    assert len(codes) > 40
    for entry in codes:
        assert entry["name"] in listed
        assert set(entry) == {"code", "name", "severity", "retryable", "retry_after_ms", "meaning", "advice"}


def test_config_shows_defaults_origins_and_differences():
    with tempfile.TemporaryDirectory() as scratch:
        one, other = pathlib.Path(scratch, "one.toml"), pathlib.Path(scratch, "other.toml")
        one.write_text(run("config", "default").expect(OK).out)
        assert "nothing changed" in run("config", "diff", "-c", one, one).expect(OK).out
        other.write_text('[log]\nlevel = "debug"\n')
        assert "log.level" in run("config", "diff", other).expect(OK).out
        shown = run("config", "show", "-c", other, "--origin").expect(OK).out
        assert 'level = "debug"' in shown and "other.toml:2" in shown
        assert run("config", "show", "-c", other, "--json").expect(OK).json["log"]["level"]["value"] == "debug"
        other.write_text('[log]\nlevle = "debug"\n')
        assert "other.toml:2:1" in run("config", "show", "-c", other).expect(USAGE).err


def test_an_answer_that_cannot_be_written_is_no_success():
    for words in (["errors"], ["version", "--json"], ["config", "default"]):
        with open("/dev/full", "w") as full:
            ran = subprocess.run([harness.GODWIT, *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert ran.returncode == 1 and "written" in ran.stderr, (words, ran)


def test_errors_that_nobody_can_read_change_no_exit_code():
    with open("/dev/full", "w") as full:
        assert subprocess.run([harness.GODWIT, "nonsense"], stderr=full).returncode == USAGE
    closed = subprocess.run(["sh", "-c", f"'{harness.GODWIT}' nonsense 2>&-"])
    assert closed.returncode == USAGE


def test_times_beyond_the_end_of_the_clock_are_refused():
    ran = harness.run("request", "127.0.0.1:1", "echo", "--timeout", "2562047h").expect(USAGE)
    assert "876000h" in ran.err


if __name__ == "__main__":
    harness.main(globals())

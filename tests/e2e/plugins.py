#!/usr/bin/env python3
"""Plugins in a real server: loaded, refused, replaced, and deciding where messages go."""

import os
import pathlib
import shutil
import signal

import harness
from harness import OK, PEER_FAILED, USAGE, Server

PLUGINS = pathlib.Path(os.environ["PLUGINS"])
TEST_PLUGINS = pathlib.Path(os.environ["TEST_PLUGINS"])


def server(*files, config="", **options):
    """A server whose plugins lie in its own folder, where the tests can replace them."""
    made = []

    class PluginServer(Server):
        def write_config(self, more):
            folder = self.folder / "plugins"
            if not made:
                folder.mkdir(mode=0o755)
                made.append(folder)
                for file in files:
                    install(file, folder / file.name)
            super().write_config(f'{more}\n[plugins]\npaths = ["plugins"]\n{config}')

    return PluginServer({"app": harness.ECHO}, **options)


def install(file, target):
    """Replaces a plugin in one step, as installers do."""
    fresh = target.with_suffix(".new")
    shutil.copyfile(file, fresh)
    fresh.chmod(0o644)
    fresh.rename(target)


def refused(*files, config=""):
    """What a server that does not come up says."""
    starting = server(*files, config=config)
    code = starting.process.wait(harness.PATIENCE_S)
    text = starting.log.rest()
    starting.__exit__(None)
    assert code == USAGE, (code, text)
    return text


def test_a_plugin_answers_beside_the_scripts():
    with server(PLUGINS / "echo.so") as running:
        assert running.request("plugin.echo", "--body", "to C and back").expect(OK).out == "to C and back"
        assert running.request("echo", "--body", "to Lua").expect(OK).out == "to Lua"


def test_the_echo_plugin_can_be_measured():
    with server(PLUGINS / "echo.so") as running:
        result = running.bench("--action", "plugin.echo", "--duration", "500ms", "--in-flight", "32").expect(OK).json
        assert result["failed"] == 0 and result["ok"] > 100, result


def test_what_does_not_fit_keeps_the_server_from_starting_and_is_named():
    assert "exports no variable 'godwit_plugin'" in refused(TEST_PLUGINS / "no_symbol.so")
    assert "nobody_defines_this" in refused(TEST_PLUGINS / "unresolved.so")
    assert "plugins.echo.sha256" in refused(PLUGINS / "echo.so", config=f'[plugins.echo]\nsha256 = "{"0" * 64}"\n')


def test_a_plugin_that_is_not_enabled_is_not_loaded():
    with server(PLUGINS / "echo.so", config="[plugins.echo]\nenabled = false\n") as running:
        assert "HandlerNotFound" in running.request("plugin.echo").expect(PEER_FAILED).err


def test_a_replaced_plugin_is_taken_live_under_load_and_a_broken_one_is_not():
    with server(TEST_PLUGINS / "statics.so", config='[plugins.statics]\nunload = "drained"\n') as running:
        target = running.folder / "plugins" / "statics.so"
        load = harness.start("bench", running.address, "--ca", running.certificate, "--action", "statics.count",
                             "--duration", "3s", "--in-flight", "32", "--no-verify", "--json")
        for generation in range(2, 5):
            # The same code with another tail is another file.
            install(TEST_PLUGINS / "statics.so", target)
            with target.open("ab") as file:
                file.write(b"\0" * generation)
            running.process.send_signal(signal.SIGHUP)
            running.log.wait_for(rf"app is live .*plugin/statics@{generation}")
        shutil.copyfile(TEST_PLUGINS / "no_symbol.so", target)
        running.process.send_signal(signal.SIGHUP)
        running.log.wait_for(r"not reloaded.*exports no variable")
        result = harness.finish(load).expect(OK).json
        assert result["failed"] == 0 and result["ok"] > 100, result
        maps = pathlib.Path(f"/proc/{running.process.pid}/maps").read_text()
        assert len({line.split()[-2] for line in maps.splitlines() if "memfd:statics@" in line}) == 1, maps


def test_a_router_decides_where_messages_are_looked_up():
    with server(PLUGINS / "route_prefix.so", config='[plugins.route_prefix.config]\nstrip = "v1"\n') as running:
        assert running.request("v1.echo", "--body", "x").expect(OK).out == "x"
        assert running.request("echo", "--body", "y").expect(OK).out == "y"
        assert "HandlerNotFound" in running.request("v2.echo").expect(PEER_FAILED).err


def test_inspect_says_what_a_plugin_is_without_running_it():
    told = harness.run("plugin", "inspect", PLUGINS / "auth_token.so", "--json").expect(OK).json
    assert told["name"] == "auth_token" and told["kinds"] == ["auth"], told
    assert "exports no variable" in harness.run("plugin", "inspect", TEST_PLUGINS / "no_symbol.so").expect(USAGE).err


def test_check_looks_at_plugins_too():
    with server(PLUGINS / "echo.so") as running:
        text = running.config_file.read_text() + f'[plugins.echo]\nsha256 = "{"0" * 64}"\n'
        other = running.folder / "other.toml"
        other.write_text(text)
        answer = harness.run("check", "-c", other, cwd=running.folder).expect(USAGE)
        assert "plugins.echo.sha256" in answer.err, answer.err


if __name__ == "__main__":
    harness.main(globals())

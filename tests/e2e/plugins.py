#!/usr/bin/env python3
"""Plugins in a real server: loaded, refused, replaced, crashing, and deciding who comes in."""

import os
import pathlib
import re
import shutil
import signal
import tempfile

import harness
from push import Listener
from harness import OK, PEER_FAILED, UNREACHABLE, USAGE, Server

PLUGINS = pathlib.Path(os.environ["PLUGINS"])
TEST_PLUGINS = pathlib.Path(os.environ["TEST_PLUGINS"])


STRATEGY = """
local gw = require "godwit"
gw.strategy(function() return {{ lane = "{lane}" }} end, {{ min = 100, max = 200 }})
"""


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
        harness.wait_until(lambda: running.metric("godwit_lua_messages_total") >= 2)


def selections(running, strategy, size_class):
    return running.metric(f"godwit_strategy_selections_total(?={{strategy=.{strategy}.,size_class=.{size_class}.}})")


def test_a_strategy_plans_how_bodies_travel():
    with server(PLUGINS / "size_default.so", arguments=["--set", 'log.level="debug"']) as running:
        for size in [1023, 1024, 65535, 65536]:
            assert running.request("echo", "--body", "x" * size).expect(OK).out == "x" * size
        assert selections(running, "plugin/size_default", "tiny") == 1
        assert selections(running, "plugin/size_default", "small") == 2
        assert selections(running, "plugin/size_default", "medium") == 1
        assert selections(running, "default", "tiny") == 0
        running.log.wait_for(r"a plan was chosen.*strategy=plugin/size_default.*size_class=medium.*lane=own")
        running.write_app("planner", STRATEGY.format(lane="own"))
        running.log.wait_for(r"live.*planner@1|planner@1.*live")
        running.request("echo", "--body", "x" * 100).expect(OK)
        running.log.wait_for(r"a plan was chosen.*strategy=planner size_class=tiny lane=own")
        running.write_app("planner", STRATEGY.format(lane="sideways"))
        running.log.wait_for(r"handler failed.*planner@2.*lane cannot be sideways")
        assert running.request("echo", "--body", "x" * 100).expect(OK).out == "x" * 100
        assert selections(running, "planner", "tiny") == 1
        assert selections(running, "default", "tiny") == 1


SEES = """
local gw = require "godwit"
gw.handle("sees", function(msg)
  local value = msg:json()
  value.type = msg.headers["content-type"]
  msg:reply(gw.json.encode(value))
end)
"""


def ask_in_msgpack(running, body):
    file = running.folder / "body"
    file.write_bytes(body)
    return running.request("sees", "--body", f"@{file}", "--header", "content-type=application/msgpack", "--json")


def test_a_codec_translates_between_clients_and_scripts():
    with server(PLUGINS / "codec_msgpack.so") as running:
        running.write_app("sees", SEES)
        running.log.wait_for("live.*sees@1")
        answer = ask_in_msgpack(running, b"\x81\xa1n\x07").expect(OK).json
        assert answer["headers"] == {"content-type": "application/msgpack"}, answer
        packed = bytes.fromhex(answer["body_hex"])
        assert b"\xa4type\xb0application/json" in packed and b"\xa1n\x07" in packed, answer
        # Who speaks JSON is answered in JSON, as ever.
        plain = running.request("sees", "--body", '{"n":8}', "--header", "content-type=application/json").expect(OK).json
        assert plain == {"n": 8, "type": "application/json"}, plain
        for bad in [b"\xc1", b"\x81\xa1n", b"\xc4\x01x"]:
            refused = ask_in_msgpack(running, bad).expect(PEER_FAILED)
            assert "BodyInvalid" in refused.err + refused.out, refused.err
        assert running.metric("godwit_message_failures_total(?={code=.BodyInvalid.,stage=.refused.})") == 3


ONCE = """
local gw = require "godwit"
gw.handle("pay", function(msg) msg:reply("receipt " .. gw.kv.incr("n")) end, { idempotent = true })
"""


def store_config(file):
    return f'[store]\nengine = "plugin"\nplugin = "store_file"\n[plugins.store_file.config]\npath = "{file}"\n'


def pay(running, key, *more):
    return running.request("pay", "--idempotency-key", key, "--uid", "ada", *more).expect(OK).out


def test_a_plugin_keeps_the_store_and_what_it_keeps_survives_the_server():
    with tempfile.TemporaryDirectory() as kept:
        file = f"{kept}/log"
        with server(PLUGINS / "store_file.so", config=store_config(file), arguments=["--set", "server.workers=2"]) as running:
            running.write_app("pay", ONCE)
            running.log.wait_for("live.*pay@1")
            assert [pay(running, "k1"), pay(running, "k1"), pay(running, "k2")] == ["receipt 1", "receipt 1", "receipt 2"]
            assert running.metric("godwit_store_batches_total(?={result=.applied.})") == 4
            running.kill()
            running.start_again()
            assert [pay(running, "k1"), pay(running, "k3")] == ["receipt 1", "receipt 1"], "gw.kv began anew"
            # A new generation of the plugin goes on with the same file.
            target = running.folder / "plugins" / "store_file.so"
            with target.open("ab") as out:
                out.write(b"\0")
            running.process.send_signal(signal.SIGHUP)
            running.log.wait_for(r"app is live .*plugin/store_file@2")
            assert pay(running, "k2") == "receipt 2"
            # Another server that shares the file knows what was executed here.
            with server(PLUGINS / "store_file.so", config=store_config(file)) as other:
                other.write_app("pay", ONCE)
                other.log.wait_for("live.*pay@1")
                assert pay(other, "k1") == "receipt 1"
                assert pay(other, "k9") == "receipt 1"
                assert pay(running, "k9") == "receipt 1"


def test_a_store_that_nobody_keeps_keeps_the_server_from_starting():
    said = refused(PLUGINS / "echo.so", config='[store]\nengine = "plugin"\nplugin = "echo"\n')
    assert "no plugin named 'echo' that keeps a store is live" in said, said
    assert "store.plugin, the name of one" in refused(PLUGINS / "echo.so", config='[store]\nengine = "plugin"\n')


def test_commands_of_a_plugin_are_executed_once_where_it_says_so():
    with server(TEST_PLUGINS / "bound.so") as running:
        def ask(action, key):
            return running.request(action, "--idempotency-key", key, "--uid", "ada").expect(OK).out.split()[0]

        assert [ask("plain", "a"), ask("plain", "a")] == ["1", "2"]
        assert [ask("once", "b"), ask("once", "b"), ask("once", "c"), ask("again", "d"), ask("again", "d")] == ["3", "3", "4", "5", "5"]


def test_the_echo_plugin_can_be_measured():
    with server(PLUGINS / "echo.so") as running:
        result = running.bench("--action", "plugin.echo", "--count", "1000", "--in-flight", "32").expect(OK).json
        assert result["failed"] == 0 and result["ok"] == 1000, result


def test_what_does_not_fit_keeps_the_server_from_starting_and_is_named():
    assert "exports no variable 'godwit_plugin'" in refused(TEST_PLUGINS / "no_symbol.so")
    assert "nobody_defines_this" in refused(TEST_PLUGINS / "unresolved.so")
    assert "plugins.echo.sha256" in refused(PLUGINS / "echo.so", config=f'[plugins.echo]\nsha256 = "{"0" * 64}"\n')


def test_an_optional_plugin_that_does_not_fit_is_left_out():
    with server(PLUGINS / "echo.so", config=f'[plugins.echo]\noptional = true\nsha256 = "{"0" * 64}"\n') as running:
        running.log.wait_for(r"plugin left out.*plugins\.echo\.sha256")
        assert running.request("echo", "--body", "x").expect(OK).out == "x"
        assert "HandlerNotFound" in running.request("plugin.echo").expect(PEER_FAILED).err


def test_a_plugin_that_is_not_enabled_is_not_loaded():
    with server(PLUGINS / "echo.so", config="[plugins.echo]\nenabled = false\n") as running:
        assert "HandlerNotFound" in running.request("plugin.echo").expect(PEER_FAILED).err


def test_a_replaced_plugin_is_taken_live_under_load_and_a_broken_one_is_not():
    # Without probation the version before is not kept ready.
    with server(TEST_PLUGINS / "statics.so", config='[plugins.statics]\nunload = "drained"\n',
                arguments=["--set", 'scripts.probation="0s"']) as running:
        target = running.folder / "plugins" / "statics.so"
        load = harness.start("bench", running.address, "--ca", running.certificate, "--action", "statics.count",
                             "--duration", "10m", "--in-flight", "32", "--no-verify", "--json")
        harness.wait_until(lambda: running.metric("godwit_messages_received_total") > 0)
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
        result = harness.end_load(load).expect(OK).json
        assert result["failed"] == 0 and result["ok"] == result["sent"] > 100, result
        maps = pathlib.Path(f"/proc/{running.process.pid}/maps").read_text()
        assert len({line.split()[-2] for line in maps.splitlines() if "memfd:statics@" in line}) == 1, "drained"


def test_a_new_build_is_taken_live_by_itself_where_that_is_wanted():
    watching = ["--set", 'plugins.reload="watch"']
    with server(TEST_PLUGINS / "statics.so", arguments=watching) as running:
        assert running.request("statics.count").expect(OK).out == "1"
        assert running.request("statics.count").expect(OK).out == "2"
        target = running.folder / "plugins" / "statics.so"
        fresh = running.folder / "statics.fresh"
        fresh.write_bytes((TEST_PLUGINS / "statics.so").read_bytes() + b"another")
        install(fresh, target)
        running.log.wait_for(r"app is live .*plugin/statics@2")
        assert running.request("statics.count").expect(OK).out == "1"  # nothing of the image before is shared


def test_a_router_decides_where_messages_are_looked_up():
    with server(PLUGINS / "route_prefix.so", config='[plugins.route_prefix.config]\nstrip = "v1"\n') as running:
        assert running.request("v1.echo", "--body", "x").expect(OK).out == "x"
        assert running.request("echo", "--body", "y").expect(OK).out == "y"
        assert "HandlerNotFound" in running.request("v2.echo").expect(PEER_FAILED).err


def test_what_a_plugin_counts_is_told_under_its_name():
    with server(TEST_PLUGINS / "fixture.so") as running:
        text = running.get("/metrics")[1]
        assert re.search(r'^godwit_plugin_ticks\{plugin="[a-z_]+"\} 0$', text, re.M), text
        assert "# TYPE godwit_plugin_ticks counter" in text


def test_a_plugin_knows_sessions_and_groups_and_sends_to_others():
    with server(TEST_PLUGINS / "social.so", config="", arguments=["--set", "server.workers=2"]) as running:
        def ask(what, *more):
            return running.request(f"social.{what}", *more).expect(OK).out

        assert ask("who", "--client-id", "device-7").startswith("device-7 ")
        assert ask("attributes") == "none good none"
        assert ask("groups") == "010"
        # HandlerNotFound: the command that asks handles nothing itself, and says so.
        assert ask("poke") == ask("ask") == "4001 "
        assert ask("stranger") == "5007 5007 0"  # StaleHandle
        with Listener(running, "--count", "1", "--json") as listener:
            assert ask("shout", "--body", "hear, hear") == "0"
            assert listener.message()["body"] == "hear, hear"
        assert running.request("social.kick").code != OK


def test_a_plugins_values_are_shared_by_workers_and_outlive_a_reload_but_not_written_while_it_is_made():
    with server(TEST_PLUGINS / "social.so", config="", arguments=["--set", "server.workers=2"]) as running:
        for count in range(1, 9):
            assert running.request("social.count").expect(OK).out == str(count)
        assert running.request("social.values").expect(OK).out == "0 5007 0 four 0"
        assert running.request("social.early").expect(OK).out == "5110"  # NotNow
        with (running.folder / "plugins" / "social.so").open("ab") as file:
            file.write(b"\0")
        running.process.send_signal(signal.SIGHUP)
        running.log.wait_for(r"app is live .*plugin/social@2")
        assert running.request("social.count").expect(OK).out == "9"


USERS = """[auth]
mode = "plugin"
[plugins.auth_token.config]
users = [{uid = "ada", token = "correct-horse-battery"}]
"""


def test_an_auth_plugin_decides_who_comes_in():
    with server(PLUGINS / "auth_token.so", config=USERS) as running:
        assert running.request("echo", "--token", "correct-horse-battery", "--body", "x").expect(OK).out == "x"
        assert "Unauthenticated" in running.request("echo", "--token", "wrong").expect(UNREACHABLE).err
        assert "Unauthenticated" in running.request("echo").expect(UNREACHABLE).err


def test_without_an_auth_plugin_nobody_comes_in_where_one_is_wanted():
    with server(PLUGINS / "echo.so", config='[auth]\nmode = "plugin"\n') as running:
        assert "Unauthenticated" in running.request("echo", "--token", "x").expect(UNREACHABLE).err


def ask(running, action):
    return harness.run("request", running.address, action, "--body", "x", "--insecure", "--timeout", "5s")


def crash(running):
    ask(running, "test.crash")
    code = running.process.wait(harness.PATIENCE_S)
    assert code == -signal.SIGABRT, code
    running.log.wait_for(r"godwit: plugin/fixture@1 was running when the process died by SIGABRT")


def test_three_crashes_quarantine_a_plugin_and_the_server_lives_on_without_it():
    with tempfile.TemporaryDirectory() as data:

        def running():
            return server(TEST_PLUGINS / "fixture.so", arguments=["--set", f'server.data_dir="{data}"'])

        for _ in range(3):
            with running() as one:
                assert ask(one, "test.echo").expect(OK).out == "x"
                crash(one)
        with running() as one:
            one.log.wait_for(r"plugin left out.*3 crashes.*remove the lines that begin with 'fixture ")
            assert "HandlerNotFound" in ask(one, "test.echo").expect(PEER_FAILED).err
        (pathlib.Path(data) / "plugin-crashes").unlink()
        with running() as one:
            assert ask(one, "test.echo").expect(OK).out == "x"


def test_an_exception_that_leaves_a_plugin_ends_the_process_with_a_line_that_names_it():
    with server(TEST_PLUGINS / "careless.so") as one:
        one.request("careless", "--timeout", "5s")
        assert one.process.wait(harness.PATIENCE_S) == -signal.SIGABRT
        text = one.log.rest()
        assert "plugin/careless@1" in text, text


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

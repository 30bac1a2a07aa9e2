#!/usr/bin/env python3
"""What script authors work with: `godwit test`, `godwit lint`, `godwit new app`."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree

import harness
from harness import OK, PEER_FAILED, USAGE

SCRIPTS = harness.ROOT / "scripts"

MAIN = """
local gw = require "godwit"
local greeted = 0
gw.handle("greet", function(msg, session)
  if msg:body() == "loop" then while true do end end
  if msg:body() == "fail" then error("out of order") end
  greeted = greeted + 1
  gw.sleep("2s")
  session:send("greeted", greeted)
  msg:reply("hello " .. (session.uid or "stranger"))
end)
"""


@contextlib.contextmanager
def app(specs, main=MAIN, files=None):
    """An app called `greeter` with these specs, by the part of their name before _spec.lua."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "greeter"
        (folder / "spec").mkdir(parents=True)
        (folder / "main.lua").write_text(main)
        for name, text in specs.items():
            (folder / "spec" / f"{name}_spec.lua").write_text(text)
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        yield folder


def lines_with(word, text):
    return [line for line in text.splitlines() if word in line]


def test_the_shipped_specs_pass():
    done = harness.run("test", SCRIPTS).expect(OK)
    assert re.search(r"^\d+ passed, 0 failed in", done.out, re.M), done.out
    for name in ["echo", "chat", "iot", "tick"]:
        assert f"{name}_spec.lua" in done.out, done.out


ENDINGS = """
local gw = require "godwit"
gw.use(gw.middleware.validate { checked = { n = "number" } })
gw.authorize(function(session, action) return action ~= "secret" end)
gw.route("old.*", "reply")
gw.handle("reply", function(msg) msg:reply(msg:body():upper(), { shape = "round", size = tostring(#msg:body()) }) end)
gw.handle("json", function(msg) local v = msg:json() v.list = gw.json.array({}) msg:reply(gw.json.encode(v)) end)
gw.handle("checked", function(msg) msg:reply("fine") end)
gw.handle("refuse", function(msg) msg:fail("LimitReached", "no more", { retry_after = "2s" }) end)
gw.handle("raise", function() error("broken") end)
gw.handle("raise.value", function() error(gw.err("QueueFull", "later")) end)
gw.handle("silent", function() end)
gw.handle("spin", function() while true do end end)
gw.handle("hoard", function() local t = {} while true do t[#t + 1] = ("x"):rep(1e6) .. #t end end)
gw.handle("slow", function(msg) gw.sleep("20ms") msg:reply("slept") end)
gw.handle("late", function() gw.sleep("1m") end, { timeout = "50ms" })
gw.handle("onward", function(msg) msg:forward("reply") end)
gw.handle("circle", function(msg) msg:forward("circle") end)
gw.handle("secret", function(msg) msg:reply("never") end)
gw.handle("once", function(msg) msg:reply(gw.kv.incr("n")) end, { idempotent = true })
"""
ASKED = [("reply", "abc"), ("old.name", "xyz"), ("json", '{"b":[1,2],"a":null}'), ("checked", '{"n":1}'), ("checked", "{}"),
         ("refuse", ""), ("raise", ""), ("raise.value", ""), ("silent", ""), ("spin", ""), ("hoard", ""), ("slow", ""), ("late", ""),
         ("onward", "on"), ("circle", ""), ("secret", ""), ("nobody", ""), ("once", ""), ("once", "")]


def ending_of(server, action, body):
    """How a request ends on a real server: its body and headers, or its code and text."""
    key = ["--idempotency-key", "k"] if action == "once" else []
    answer = json.loads(server.request(action, "--body", body, "--uid", "ada", "--json", *key).out)
    return {name: answer.get(name) for name in ("body", "headers", "code", "text")}


def test_an_app_ends_its_messages_in_specs_as_it_does_on_a_server():
    with harness.Server({"greeter": ENDINGS}) as server:
        live = [ending_of(server, action, body) for action, body in ASKED]
    spec = """
    local gw = require "godwit"
    it("tells", function()
      local client, endings = test.session { uid = "ada" }, {}
      for _, asked in ipairs(gw.json.decode([==[ASKED]==])) do
        local options = asked[1] == "once" and { headers = { ["idempotency-key"] = "k" } } or nil
        local reply, err = client:request(asked[1], asked[2], options)
        endings[#endings + 1] = reply and { body = reply.body, headers = reply.headers } or { code = err.code, text = err.message }
      end
      error("endings: " .. gw.json.encode(endings) .. " :endings")
    end)
    """.replace("ASKED", json.dumps(ASKED))
    with app({"greeter": spec}, main=ENDINGS) as folder:
        said = harness.run("test", folder).expect(PEER_FAILED).out
    told = json.loads(re.search(r"endings: (.*) :endings", said)[1])
    assert len(told) == len(live) == len(ASKED)
    for asked, here, there in zip(ASKED, told, live):
        if here.get("code"):
            # The command adds when to try again, where a header says so.
            assert here["code"] == there["code"] and there["text"].startswith(here["text"]), (asked, here, there)
        else:
            assert (here["body"], here["headers"] or {}) == (there["body"], there["headers"] or {}), (asked, here, there)


def test_time_jumps_and_every_case_begins_with_a_fresh_generation():
    case = """
      it("greets, NUMBER", function()
        local ada = test.session { uid = "ada" }
        local began = gw.now()
        assert.equal("hello ada", assert(ada:request("greet", "")).body)
        assert.near(2, gw.now() - began, 0.001)
        assert.equal("1", ada:received("greeted")[1].body)
      end)
    """
    spec = 'local gw = require "godwit"\n' + case.replace("NUMBER", "one") + case.replace("NUMBER", "two")
    with app({"greeter": spec}) as folder:
        done = harness.run("test", folder).expect(OK)
        assert "2 passed, 0 failed" in done.out
        assert float(re.search(r"in ([\d.]+) s", done.out)[1]) < 4, done.out  # which is what they sleep


def test_a_failure_says_what_and_where_and_what_the_app_logged():
    spec = """it("expects too much", function()
      local s = test.session {}
      assert.same({ a = 1, b = { 2 } }, { a = 1, b = { 3 } })
    end)
    it("meets an error of the app", function() assert(test.session({}):request("greet", "fail")) end)
    """
    with app({"greeter": spec}) as folder:
        done = harness.run("test", folder).expect(PEER_FAILED)
        assert f"{folder}/spec/greeter_spec.lua:3: expected {{a = 1" in done.out, done.out
        assert "they differ at .b[1]: expected 2, got 3" in done.out
        assert f"{folder}/spec/greeter_spec.lua:5: HandlerFailed" in done.out
        assert f"{folder}/main.lua:6: out of order" in done.out
        assert "0 passed, 2 failed" in done.out


def test_endless_loops_end_in_the_app_and_in_the_spec_and_the_next_case_runs():
    spec = """
    it("is refused by the app's own limit", function()
      assert.refused("ScriptTimeout", test.session({}):request("greet", "loop"))
    end)
    it("loops itself", function() while true do pcall(function() end) end end)
    it("waits for ever", function() require("godwit").channel():recv() end)
    it("comes after", function() assert.equal(1, 1) end)
    """
    with app({"greeter": spec}) as folder:
        done = harness.run("test", folder).expect(PEER_FAILED)
        assert "ok   is refused by the app's own limit" in done.out and "ok   comes after" in done.out, done.out
        assert "FAIL loops itself" in done.out and "ran longer than its limit" in done.out
        assert "FAIL waits for ever" in done.out and "waits for something that did not come" in done.out


def test_what_does_not_parse_or_load_is_counted_and_the_rest_runs():
    with app({"broken": 'it("x", function( end)', "greeter": 'it("runs", function() end)'}) as folder:
        done = harness.run("test", folder).expect(PEER_FAILED)
        assert f"{folder}/spec/broken_spec.lua:1:" in done.out and "1 passed, 1 failed" in done.out, done.out
    with app({"greeter": 'it("runs", function() end)'}, main="local x = nil + 1") as folder:
        done = harness.run("test", folder).expect(PEER_FAILED)
        assert f"{folder}/main.lua:1:" in done.out, done.out


def test_specs_reach_no_further_than_apps():
    spec = """it("finds nothing of the outside", function()
      for _, name in ipairs { "io", "load", "loadstring", "dofile", "ffi", "jit", "package", "setfenv", "getfenv" } do
        assert.is_nil(_G[name], name)
      end
      assert.is_nil(os.execute)
      assert.is_nil(debug.getinfo)
      a_global_of_its_own = 1
      assert.equal(1, a_global_of_its_own)
    end)"""
    with app({"greeter": spec}) as folder:
        harness.run("test", folder).expect(OK)


def test_tap_and_junit_say_the_same_as_the_text():
    spec = """it("passes", function() end)
      it("fails <&>", function() assert.equal("a", "b") end)
      pending("is to be written")"""
    with app({"greeter": spec}) as folder:
        junit = folder / "junit.xml"
        tap = harness.run("test", folder, "--tap", "--junit", junit).expect(PEER_FAILED).out.splitlines()
        assert tap[0] == "TAP version 14" and tap[-1] == "1..3", tap
        assert [line.split(" - ")[0] for line in tap if " - " in line] == ["ok 1", "not ok 2", "ok 3"], tap
        assert any("# SKIP" in line for line in tap) and any("message:" in line for line in tap), tap
        root = xml.etree.ElementTree.parse(junit).getroot()
        assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("3", "1", "1")
        failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
        assert [case.get("name") for case in failed] == ["fails <&>"]
        assert "greeter_spec.lua:2: expected" in failed[0].find("failure").text


def test_a_filter_chooses_cases_and_wrong_use_is_told_apart():
    spec = 'describe("a", function() it("one", function() end) it("two", function() error("no") end) end)'
    with app({"greeter": spec}) as folder:
        assert "1 passed, 0 failed" in harness.run("test", folder, "--filter", "a one").expect(OK).out
        file = folder / "spec" / "greeter_spec.lua"
        assert "1 passed, 1 failed" in harness.run("test", file).expect(PEER_FAILED).out
        assert "1 passed, 1 failed" in harness.run("test", folder.parent).expect(PEER_FAILED).out
        for wrong in [["--filter", "three"], ["--wrong"]]:
            harness.run("test", folder, *wrong).expect(USAGE)
        harness.run("test", folder / "main.lua").expect(USAGE)
        harness.run("test", folder / "nowhere").expect(USAGE)
    with app({}) as folder:
        assert "there are no specs" in harness.run("test", folder).expect(USAGE).err


def test_an_app_may_require_its_modules_in_specs_and_the_limits_are_the_configured_ones():
    spec = """local sums = require "sums"
      it("adds", function() assert.equal(5, sums.add(2, 3)) end)
      it("is ended", function() assert.refused("ScriptTimeout", test.session({}):request("greet", "loop")) end)"""
    with app({"greeter": spec}, files={"lib/sums.lua": "return { add = function(a, b) return a + b end }"}) as folder:
        harness.run("test", folder, "--set", 'scripts.burst_max="30ms"').expect(OK)


def test_who_comes_in_is_decided_and_told_as_on_a_server():
    main = """local gw = require "godwit"
      gw.authenticate(function(cred)
        gw.sleep("1s")
        if cred.token == gw.config.secret then return { uid = "ada", groups = { "friends" }, attributes = { level = 3 } } end
      end)
      gw.on("session_created", function(ev) gw.kv.incr("came") gw.kv.set("who", ev.session.uid) end)
      gw.on("session_closed", function() gw.kv.incr("went") end)
      gw.handle("x", function(msg) msg:reply() end)"""
    spec = """local gw = require "godwit"
      it("lets in whom the app knows, with what it says of them", function()
        local began = gw.now()
        local ada = assert(test.session { token = "sesame" })
        assert.near(1, gw.now() - began, 0.001)
        assert.equal("ada", ada.uid)
        assert.same({ "friends" }, ada:groups())
        assert.equal("3", ada:get("level"))
        test.settle()
        assert.same({ 1, "ada" }, { gw.kv.get("came"), gw.kv.get("who") })
        assert.is_nil(gw.kv.get("went"))
        ada:close()
        test.settle()
        assert.equal(1, gw.kv.get("went"))
      end)
      it("keeps others out", function()
        assert.refused("Unauthenticated", test.session { token = "open" })
        assert.is_nil(gw.kv.get("came"))
      end)"""
    with app({"greeter": spec}, main=main) as folder:
        config = folder.parent / "godwit.toml"
        config.write_text('[app.greeter.config]\nsecret = "sesame"\n')
        assert "2 passed" in harness.run("test", folder, "-c", config).expect(OK).out


def test_operators_commands_can_be_run():
    main = """local gw = require "godwit"
      gw.command("sum", { help = "adds" }, function(args)
        gw.sleep("1s")
        if not args[2] then return nil, gw.err("ValueWrong", "two numbers, please") end
        return { sum = args[1] + args[2] }
      end)
      gw.handle("x", function(msg) msg:reply() end)"""
    spec = """it("adds", function()
        assert.same({ sum = 5 }, test.command("sum", 2, "3"))
        assert.refused("ValueWrong", test.command("sum", 2))
        assert.refused("CommandUnknown", test.command("difference"))
      end)"""
    with app({"greeter": spec}, main=main) as folder:
        harness.run("test", folder).expect(OK)


def test_the_shipped_scripts_are_clean():
    assert "nothing found" in harness.run("lint", SCRIPTS).expect(OK).out


def test_lint_finds_accidental_and_unknown_globals_and_names_of_gw():
    main = """local gw = require "godwit"
declared = 1
gw.handle("greet", function(msg)
  counter = declared -- nobody = 1
  msg:reply(cuonter)
  gw.broadcst("x")
  gw.kv.gett("x")
end)
"""
    with app({}, main=main) as folder:
        out = harness.run("lint", folder).expect(PEER_FAILED).out
        for place, words in [("4:3", "'counter' is assigned by accident"), ("5:13", "'cuonter' does not exist"),
                             ("6:3", "gw.broadcst does not exist"), ("7:3", "gw.kv.gett does not exist")]:
            assert any(words in line for line in lines_with(f"{folder}/main.lua:{place}:", out)), out
        assert "declared" not in out and "nobody" not in out, out
        harness.run("lint", folder / "nowhere").expect(USAGE)


def test_lint_without_luacheck_says_so_and_still_does_its_own_checks():
    with app({}, main="local gw = require 'godwit' gw.handle('x', function() print(typo) end)") as folder:
        done = harness.run("lint", folder, env={"PATH": "/nowhere"}).expect(PEER_FAILED)
        assert "luacheck is not installed" in done.err and "'typo' does not exist" in done.out, done


def test_a_new_app_passes_its_specs_is_clean_and_serves_at_once():
    with harness.Server() as server:
        scripts = server.folder / "scripts"
        assert "godwit test" in harness.run("new", "app", "greeter", "--in", scripts).expect(OK).out
        folder = scripts / "greeter"
        assert "3 passed, 0 failed" in harness.run("test", folder).expect(OK).out
        assert "nothing found" in harness.run("lint", folder).expect(OK).out
        harness.run("check", "--set", f'scripts.paths=["{folder}"]').expect(OK)
        server.log.wait_for("app is live app=greeter@1")
        assert server.request("greeter.greet", "--body", "Ada").expect(OK).out.strip() == "Good day, Ada"
        # Specs and stubs are no part of what serves.
        (folder / "spec" / "greeter_spec.lua").write_text("this is no Lua")
        (folder / "main.lua").write_text((folder / "main.lua").read_text().replace("Good day", "Good evening"))
        server.log.wait_for("app is live app=greeter@2")
        assert server.request("greeter.greet", "--body", "Ada").expect(OK).out.strip() == "Good evening, Ada"


def test_a_new_app_brings_what_editors_and_luacheck_want_to_know():
    with tempfile.TemporaryDirectory() as scratch:
        harness.run("new", "app", "mine", "--in", scratch).expect(OK)
        folder = pathlib.Path(scratch) / "mine"
        library = json.loads((folder / ".luarc.json").read_text())["workspace.library"]
        for stub in ["godwit.lua", "spec.lua"]:
            assert (folder / library[0] / stub).read_text() == (SCRIPTS / "meta" / stub).read_text()
        (folder / library[0] / "spec.lua").write_text("old")
        harness.run("new", "stubs", folder).expect(OK)
        assert (folder / library[0] / "spec.lua").read_text() == (SCRIPTS / "meta" / "spec.lua").read_text()
        if shutil.which("luacheck"):
            subprocess.run(["luacheck", "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def test_a_new_app_overwrites_nothing_and_names_are_checked():
    with tempfile.TemporaryDirectory() as scratch:
        harness.run("new", "app", "mine", "--in", scratch).expect(OK)
        assert "exists already" in harness.run("new", "app", "mine", "--in", scratch).expect(USAGE).err
        for name in ["Mine", "a/b", "", "1st", "a-b", "x" * 64]:
            harness.run("new", "app", name, "--in", scratch).expect(USAGE)
        harness.run("new", "stubs", pathlib.Path(scratch) / "nowhere").expect(USAGE)


if __name__ == "__main__":
    harness.main(globals())

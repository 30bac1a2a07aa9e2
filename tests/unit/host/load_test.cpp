#include <fstream>

#include "host/purpose.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using godwit::host::test::ScriptWorld;

TEST_CASE("an app tells what it handles and where it said so") {
  ScriptWorld world;
  world.load(ScriptWorld::Files{{"main.lua",
                                 "local gw = require 'godwit'\n"
                                 "local function ignore() end\n"
                                 "gw.handle('echo', ignore)\n"
                                 "gw.handle('query/time.*', ignore)\n"
                                 "require 'more'\n"},
                                {"lib/more.lua", "require 'godwit'.handle('**', print)\n"}});
  const auto& registrations = world.app->registrations();
  REQUIRE(registrations.size() == 3);
  CHECK(registrations[0].pattern == "echo");
  CHECK(registrations[0].where == "main.lua:3");
  CHECK(registrations[1].pattern == "query/time.*");
  CHECK(registrations[2].where == "lib/more.lua:1");
  CHECK(world.app->name() == "test@1");
  CHECK(world.log.lines.empty());
}

TEST_CASE("an app that handles nothing loads with a warning") {
  ScriptWorld world;
  world.load("local unused = gw");
  CHECK(world.app->registrations().empty());
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0].level == LogLevel::kWarn);
  CHECK_FALSE(does_something(*world.app));
}

TEST_CASE("handlers, timers, events and commands are each something that an app does") {
  for (const char* code : {"gw.handle('a', print)", "gw.every(1, print)", "gw.cron('* * * * *', print)",
                           "gw.on('session_created', print)", "gw.command('a', print)"}) {
    INFO(code);
    ScriptWorld world;
    world.load(code);
    CHECK(does_something(*world.app));
    CHECK(world.log.lines.empty());
  }
}

TEST_CASE("an error while loading names app, file and line") {
  ScriptWorld world;
  CHECK(world.load_error({{"main.lua", "local a = 1\nlocal = 2\n"}}) == "test/main.lua:2: '<name>' expected near '='");
  CHECK(world.load_error({{"main.lua", "\n\nerror('no luck')"}}) == "test/main.lua:3: no luck");
  CHECK(world.load_error({{"main.lua", "\nrequire 'broken'"}, {"lib/broken.lua", "\n\nif"}}) ==
        "test/lib/broken.lua:3: unexpected symbol near '<eof>'");
  CHECK(world.load_error({{"main.lua", "require 'raises'"}, {"raises.lua", "\nlocal x = nil + 1"}}) ==
        "test/raises.lua:2: attempt to perform arithmetic on a nil value");
  CHECK(world.load_error({{"main.lua", "error({})"}}) == "test/main.lua: a value of type table was raised as an error");
  CHECK(world.load_error({{"main.lua", "coroutine.yield()"}}).starts_with("test/main.lua: coroutine.yield was called"));
}

TEST_CASE("a wrong registration is refused with file and line") {
  ScriptWorld world;
  CHECK(world.load_error({{"main.lua", "local gw = require 'godwit'\ngw.handle('a', print)\ngw.handle('a', print)"}}) ==
        "test/main.lua:3: gw.handle: 'a' is bound already at test/main.lua:2");
  CHECK(world.load_error("gw.handle(7, print)") ==
        "test/main.lua:1: gw.handle: the pattern must be a string, got number");
  CHECK(world.load_error("gw.handle('a')") == "test/main.lua:1: gw.handle: the handler must be a function, got nil");
  CHECK(world.load_error("gw.handle('a', print, { sped = 1 })") == "test/main.lua:1: gw.handle: unknown option 'sped'");
  CHECK(world.load_error("gw.handle('a', print, 5)") ==
        "test/main.lua:1: gw.handle: options must be a table, got number");
  CHECK(world.load_error("gw.handle('bogus/a', print)").starts_with("test/main.lua:1: gw.handle: "));
}

TEST_CASE("handlers are bound while loading only") {
  ScriptWorld world;
  CHECK(
      world.raised("require('godwit').handle('late', print)") ==
      "test/main.lua:1: gw.handle: handlers are bound while the app loads; call it at the top level of main.lua or of "
      "a module");
}

TEST_CASE("modules come from the app's own files, once each") {
  ScriptWorld world;
  world.load(ScriptWorld::Files{{"main.lua",
                                 "local gw = require 'godwit'\n"
                                 "local a, b, c = require 'count', require 'lib.count', require 'deep.er'\n"
                                 "gw.handle('x', function(msg) msg:reply(a.n .. tostring(a == b) .. c) end)"},
                                {"lib/count.lua", "loads = (loads or 0) + 1 return { n = loads }"},
                                {"deep/er/init.lua", "return 'deep'"}});
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).text == "1truedeep");
}

TEST_CASE("a missing module, and one that requires itself, say so") {
  ScriptWorld world;
  CHECK(world.load_error("require 'no.such'") ==
        "test/main.lua:1: module 'no.such' not found: the app has no no/such.lua, lib/no/such.lua, no/such/init.lua, "
        "lib/no/such/init.lua");
  CHECK(world.load_error({{"main.lua", "require 'a'"}, {"a.lua", "require 'b'"}, {"b.lua", "\nrequire 'a'"}}) ==
        "test/b.lua:2: module 'a' requires itself (a.lua)");
  CHECK(world.load_error("require 'main'") == "test/main.lua:1: module 'main' requires itself (main.lua)");
  CHECK(world.load_error("require '../secret'").find("not found") != std::string::npos);
}

TEST_CASE("require works inside pcall and coroutines, and tries again after an error") {
  ScriptWorld world;
  world.load(ScriptWorld::Files{
      {"main.lua",
       "local gw = require 'godwit'\n"
       "ready = false\n"
       "local ok, err = pcall(require, 'moody')\n"
       "ready = true\n"
       "local inner = coroutine.wrap(function() return require 'moody' end)()\n"
       "gw.handle('x', function(msg) msg:reply(tostring(ok) .. ' ' .. err .. ' ' .. inner) end)"},
      {"moody.lua",
       "if not ready then error('not yet') end coroutine.wrap(function() coroutine.yield() end)() return 'fine'"}});
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).text == "false test/moody.lua:1: not yet fine");
}

TEST_CASE("a module can be loaded by a handler, too, but binds nothing then") {
  ScriptWorld world;
  world.load(ScriptWorld::Files{{"main.lua",
                                 "local gw = require 'godwit'\n"
                                 "gw.handle('x', function(msg) msg:reply(require('late')) end)"},
                                {"late.lua", "return 'later'"}});
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).text == "later");
}

TEST_CASE("bytecode is refused, wherever it comes from") {
  ScriptWorld world;
  CHECK(world.load_error({{"main.lua", "\x1bLJ\x02"}}).find("attempt to load chunk with wrong mode") !=
        std::string::npos);
}

#ifndef __SANITIZE_ADDRESS__  // which keeps freed memory for a while
TEST_CASE("the process is as small as before after two hundred generations") {
  const auto resident_bytes = [] {
    size_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * 4096;
  };
  ScriptWorld world;
  const auto reload = [&](int times) {
    for (int i = 0; i < times; ++i) {
      world.load("local t = {} for i = 1, 5000 do t[i] = { i } end gw.handle('x', function(m) m:reply(m:body()) end)");
      for (int n = 0; n < 10; ++n) world.handle({world.command("some body"), world.command("another")});
      world.sink.verdicts.clear();
    }
  };
  reload(20);
  const size_t before = resident_bytes();
  REQUIRE(before > 0);
  reload(200);
  CHECK(resident_bytes() < before + (1 << 20));
  // One generation alone is a good part of what 200 may add.
  CHECK(world.app->stats().memory_bytes > 400'000);
}
#endif

TEST_CASE("what an app checks of itself keeps it from going live") {
  ScriptWorld world;
  world.load("gw.selftest(function() assert(1 + 1 == 2) end)");
  CHECK(world.app->selftest());
  world.load("gw.selftest(function() error('two and two are five') end)");
  const Status failed = world.app->selftest();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text == "test@1: gw.selftest: test/main.lua:1: two and two are five");
  world.load("gw.selftest(function() gw.sleep(1) end)");
  CHECK(world.app->selftest().error().text == "test@1: gw.selftest must not wait");
}

TEST_CASE("state goes from one generation to the next") {
  const char* code =
      "local n = 0 gw.export(function() return { n = n } end) gw.import(function(data, from) n = data.n + 100 * from "
      "end) gw.unload(function() gw.log.info('bye') end) gw.handle('x', function(msg) n = n + 1 msg:reply(n) end)";
  ScriptWorld world;
  world.load(code);
  CHECK(world.app->has_state());
  world.handle({world.command(""), world.command("")});
  const auto state = world.app->export_state();
  REQUIRE(state);
  world.app->retire();
  CHECK(world.log.lines.back().text == "bye");
  world.load(code);
  REQUIRE(world.app->import_state(*state));
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.back().text == "103");

  CHECK_FALSE(world.app->import_state("not a state"));
  world.load("gw.export(function() return print end)");
  CHECK(world.app->export_state().error().text ==
        "test@1: gw.export: the exported value: a value of type function has no JSON form");
  world.load("gw.handle('x', print)");
  CHECK_FALSE(world.app->has_state());
}

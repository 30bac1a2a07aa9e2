#include <catch2/catch.hpp>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

TEST_CASE("an app reads its own settings") {
  ScriptWorld world;
  world.settings.config = R"({"greeting":"hello","rooms":["one","two"],"limits":{"rate":10,"burst":1.5},"open":true})";
  CHECK(world.answer("local c = gw.config msg:reply(table.concat({ c.greeting, #c.rooms, table.concat(c.rooms, ','), "
                     "c.limits.rate, c.limits.burst, tostring(c.open), tostring(c.missing) }, ' '))") ==
        "hello 2 one,two 10 1.5 true nil");
  CHECK(world.answer(
            "local names = {} for name, value in pairs(gw.config) do names[#names + 1] = name .. type(value) end "
            "table.sort(names) msg:reply(table.concat(names, ' '))") ==
        "greetingstring limitstable openboolean roomstable");
}

TEST_CASE("an app cannot change its settings") {
  ScriptWorld world;
  world.settings.config = R"({"rooms":["one"],"limits":{"rate":10}})";
  CHECK(world.raised("gw.config.x = 1").find("gw.config is read-only") != std::string::npos);
  CHECK(world.raised("gw.config.limits.rate = 1").find("gw.config.limits is read-only") != std::string::npos);
  CHECK(world.answer("gw.config.rooms[1] = 'other' msg:reply(gw.config.rooms[1])") == "one");
}

TEST_CASE("an app without settings has none") {
  ScriptWorld world;
  CHECK(world.answer("local n = 0 for _ in pairs(gw.config) do n = n + 1 end msg:reply(n)") == "0");
}

TEST_CASE("an app learns its limits, and how much memory it uses") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 8 << 20;
  world.limits.handler_timeout = 2s;
  CHECK(world.answer("local l = gw.limits() msg:reply(l.memory_max .. ' ' .. l.handler_timeout .. ' ' .. "
                     "tostring(l.memory_used > 1000 and l.memory_used < l.memory_max))") == "8388608 2 true");
}

TEST_CASE("what an app says of itself is checked at load") {
  ScriptWorld world;
  CHECK(world.answer("msg:reply(tostring(gw.info.app_version))") == "nil");
  world.load(
      "gw.app{ name = 'test', version = '1.2', requires = { 'kv.incr', 'handle' } } "
      "gw.handle('x', function(msg) msg:reply(gw.info.app_version) end)");
  world.sink.verdicts.clear();
  world.handle({world.command("")});
  CHECK(world.sink.verdicts[0].text == "1.2");
  CHECK(world.load_error("gw.app{ name = 'other' }").find("called 'test' here") != std::string::npos);
  CHECK(world.load_error("gw.app{ requires = { 'teleport.now' } }") ==
        "test/main.lua:1: gw.app: this server has no gw.teleport.now");
  CHECK(world.load_error("gw.app{ nmae = 'test' }").find("unknown field 'nmae'") != std::string::npos);
}

TEST_CASE("only an app that the operator trusts reaches files, processes and modules of C") {
  const std::string reach =
      "msg:reply(type(io) .. ' ' .. type(package) .. ' ' .. type(os.getenv) .. ' ' .. type(os.exit) .. ' ' .. "
      "tostring(pcall(require, 'no.such.module')))";
  ScriptWorld world;
  CHECK(world.answer(reach) == "nil nil nil nil false");
  CHECK_FALSE(world.log.find("app is trusted: it has the rights of the server"));
  world.settings.trust = AppSettings::Trust::kTrusted;
  CHECK(world.answer(reach) == "table table function nil false");
  CHECK(world.answer(
            "local f = assert(io.open('/proc/self/comm')) msg:reply(#f:read('*l') > 0 and 'read' or '') f:close()") ==
        "read");
  CHECK(
      world.answer("local ok, why = pcall(require, 'no.such.module') msg:reply(why:find('no.such.module', 1, true) and "
                   "'looked outside' or why)") == "looked outside");
}

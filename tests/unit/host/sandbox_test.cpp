#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// Names below a table, sorted.
constexpr const char* kList =
    "local names = {} for name in pairs(%s) do names[#names + 1] = name end table.sort(names) "
    "msg:reply(table.concat(names, ' '))";

std::string names_in(const char* table) {
  ScriptWorld world;
  std::string code = kList;
  return world.answer(code.replace(code.find("%s"), 2, table));
}

}  // namespace

TEST_CASE("the globals of an app are these and no others") {
  CHECK(
      names_in("_G") ==
      "_G _VERSION assert bit coroutine debug error getmetatable ipairs math next os pairs pcall print rawequal rawget "
      "rawset require select setmetatable string table tonumber tostring type unpack xpcall");
  CHECK(names_in("string") == "byte char find format gmatch gsub len lower match rep reverse sub upper");
  CHECK(names_in("table") == "concat insert maxn move remove sort");
  CHECK(names_in("os") == "clock date difftime time");
  CHECK(names_in("coroutine") == "create isyieldable resume running status wrap yield");
  CHECK(names_in("debug") == "traceback");
  CHECK(
      names_in("require('godwit')") ==
      "after all any app authenticate authorize base64 batch broadcast channel command config cron err errors every "
      "export "
      "group handle "
      "hash hex http import info job json kv limits log metric middleware now on once request route selftest semaphore "
      "send session "
      "sessions "
      "sleep "
      "spawn strategy time unload use uuid work zstd");
}

TEST_CASE("ways out of the sandbox are closed") {
  ScriptWorld world;
  for (const char* name : {"load",
                           "loadstring",
                           "loadfile",
                           "dofile",
                           "io",
                           "package",
                           "ffi",
                           "jit",
                           "collectgarbage",
                           "gcinfo",
                           "newproxy",
                           "getfenv",
                           "setfenv",
                           "module",
                           "string.dump",
                           "os.execute",
                           "os.exit",
                           "os.getenv",
                           "os.remove",
                           "os.rename",
                           "os.tmpname",
                           "os.setlocale",
                           "debug.getregistry",
                           "debug.sethook",
                           "debug.getinfo",
                           "debug.getupvalue",
                           "debug.setmetatable",
                           "debug.getfenv"}) {
    INFO(name);
    CHECK(world.answer("msg:reply(type(" + std::string(name) + "))") == "nil");
  }
  for (const char* module :
       {"ffi", "jit", "jit.util", "string", "table.new", "table.clear", "bit", "thread.exdata", "_G"}) {
    INFO(module);
    CHECK(world.raised("require '" + std::string(module) + "'").find("not found") != std::string::npos);
  }
}

TEST_CASE("metatables of what the host made are locked") {
  ScriptWorld world;
  for (const char* value : {"''", "string", "_G", "math", "require('godwit')", "msg", "session", "msg.headers"}) {
    INFO(value);
    CHECK(world.answer("msg:reply(type(getmetatable(" + std::string(value) + ")))") == "string");
    CHECK(world.raised("setmetatable(" + std::string(value) + ", {})") != "nothing");
  }
}

TEST_CASE("methods of strings are the bounded ones") {
  ScriptWorld world;
  CHECK(world.answer("msg:reply(tostring(('').find == string.find) .. tostring(('').dump))") == "truenil");
  CHECK(world.raised("string.find = nil") == "test/main.lua:1: string is read-only: cannot set 'find'");
  CHECK(world.raised("rawset(string, 'find', nil)") == "test/main.lua:1: rawset: this table is read-only");
}

TEST_CASE("globals are declared while loading; afterwards only declared ones can be assigned") {
  ScriptWorld world;
  world.load("total = 0 gw.handle('x', function(msg) total = total + 1 msg:reply(tostring(total)) end)");
  world.handle({world.command(""), world.command("")});
  CHECK(world.sink.verdicts[1].text == "2");
  world.load("later = nil gw.handle('x', function(msg) later = (later or 0) + 1 msg:reply(tostring(later)) end)");
  world.handle({world.command(""), world.command("")});
  CHECK(world.sink.verdicts.back().text == "2");
  CHECK(world.raised("totl = 1") ==
        "test/main.lua:1: assignment to undeclared global 'totl': make it local, or declare it while the app loads");
  CHECK(world.raised("_G.totl = 1").find("undeclared global 'totl'") != std::string::npos);
  CHECK(world.raised("rawset(_G, 'totl', 1)") == "test/main.lua:1: rawset: this table is read-only");
}

TEST_CASE("one app's globals and libraries are not another's") {
  ScriptWorld world;
  auto first = world.try_load({{"main.lua", "leak = 'secret' math.x = nil"}});
  CHECK_FALSE(first);
  first = world.try_load({{"main.lua", "leak = 'secret'"}});
  REQUIRE(first);
  CHECK(world.answer("msg:reply(tostring(leak))") == "nil");
}

TEST_CASE("the coroutine of the host is out of reach") {
  ScriptWorld world;
  CHECK(world.answer("msg:reply(tostring(coroutine.running()) .. tostring(coroutine.isyieldable()))") == "nilfalse");
  CHECK(world.answer("msg:reply(coroutine.wrap(function() return type(coroutine.running()) end)())") == "thread");
  CHECK(world.answer("local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end) "
                     "local _, x = coroutine.resume(co, 1) local _, y = coroutine.resume(co, 5) "
                     "msg:reply(x .. ' ' .. y .. ' ' .. coroutine.status(co))") == "2 10 dead");
}

TEST_CASE("a script that writes into its messages harms only itself") {
  ScriptWorld world;
  for (const char* value : {"nil", "-1", "1e300", "0/0", "'x'", "{}", "1.5", "function() end", "12345"}) {
    INFO(value);
    world.load("gw.handle('x', function(msg) rawset(msg, 1, " + std::string(value) +
               ") rawset(msg, 2, 7) local a = msg.headers msg:reply(msg:body()) end)");
    world.handle({world.command("a"), world.command("b")});
  }
  world.load(
      "gw.handle('x', function(msg) pcall(msg.reply, setmetatable({ 0 }, { __metatable = 'message' }), 'forged') end)");
  world.sink.verdicts.clear();
  world.handle({world.command("a")});
  CHECK(world.sink.verdicts.size() <= 1);
}

TEST_CASE("nothing with a pointer in it ever reaches a script") {
  ScriptWorld world;
  CHECK(world.answer(
            "local kinds = {} "
            "for _, v in ipairs({ msg.id, msg.kind, msg.action, msg:body(), msg.headers, msg:deadline(), session.id, "
            "session.uid }) do assert(type(v) ~= 'cdata' and type(v) ~= 'userdata', type(v)) end "
            "for k, v in pairs(msg) do assert(type(v) == 'number' or type(v) == 'table') end msg:reply('clean')") ==
        "clean");
}

TEST_CASE("time comes from the host's clock") {
  ScriptWorld world;
  CHECK(world.answer(
            "msg:reply(os.time() .. ' ' .. os.clock() .. ' ' .. os.date('!%Y-%m-%d') .. ' ' .. os.difftime(5, 2))") ==
        "1700000000 5 2023-11-14 3");
  CHECK(world.answer("msg:reply(os.date('!%Y', 0) .. os.date('!*t', 0).month)") == "19701");
  CHECK(world.raised("os.date(('%c'):rep(100))") ==
        "test/main.lua:1: os.date: format must be a string of at most 128 bytes");
}

TEST_CASE("what could take for ever in C is bounded") {
  ScriptWorld world;
  CHECK(world.raised("local s = ('x'):rep(1e9)") ==
        "test/main.lua:1: string.rep: the result would have 1000000000 bytes, the limit is 16777216");
  CHECK(world.raised("local s = ('x'):rep(1e300)").find("the limit is") != std::string::npos);
  CHECK(world.raised("local s = table.concat({}, 'x', 1, 1e9)") ==
        "test/main.lua:1: table.concat: more than 1048576 items");
  CHECK(world.answer("msg:reply(('ab'):rep(3, '-') .. table.concat({ 1, 2 }, ','))") == "ab-ab-ab1,2");
  CHECK(world.answer("local t = { 3, 1, 2 } table.sort(t) table.sort(t, function(a, b) return a > b end) "
                     "msg:reply(table.concat(t))") == "321");
}

TEST_CASE("tracebacks are text") {
  ScriptWorld world;
  const std::string text = world.answer("msg:reply(debug.traceback('here'))");
  CHECK(text.starts_with("here\nstack traceback:"));
  CHECK(text.find("test/main.lua:1") != std::string::npos);
}

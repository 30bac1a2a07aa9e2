#include <ctime>
#include <thread>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// Runs a handler that does `code` for the message "bad" and answers others; three messages, the second is bad.
void run_bad(ScriptWorld& world, const std::string& code) {
  world.load("gw.handle('x', function(msg) if msg:body() == 'bad' then " + code + " end msg:reply('good') end)");
  world.sink.verdicts.clear();
  world.handle({world.command("1"), world.command("bad"), world.command("3")});
  REQUIRE(world.sink.verdicts.size() == 3);
  CHECK(world.sink.verdicts[0].text == "good");
  CHECK(world.sink.verdicts[2].text == "good");
}

/// Of this thread's processor: what else the machine does shall not matter.
Duration time_of(const std::function<void()>& work) {
  const auto used = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  const Duration begin = used();
  work();
  return used() - begin;
}

}  // namespace

TEST_CASE("a handler that runs for ever ends, and the messages behind it run") {
  const char* code =
      GENERATE("while true do end",                                                  // interpreted, then compiled
               "for i = 1, 1e6 do local x = i * 2 end while true do end",            // after a hot loop
               "local x = 0 for i = 1, 1e15 do x = x + i % 7 end",                   // compiled arithmetic
               "while true do pcall(function() while true do end end) end",          // caught over and over
               "while true do xpcall(error, function() while true do end end) end",  // in an error handler
               "xpcall(function() while true do end end, function() while true do end end)",  // of what ended one
               "xpcall(function() while true do end end, function() error('x') end) while true do end",
               "coroutine.wrap(function() while true do end end)()",               // in a coroutine
               "while true do coroutine.wrap(function() pcall(error) end)() end",  // in many
               "local function f() return f() end f()",                            // tail calls
               "repeat until false",                                               //
               "setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }).a = 1 while true do end",
               "local t = {} for i = 1, 3e5 do t[i] = -i end while true do table.sort(t) end",  // in a C function that
                                                                                                // calls back
               "for i = 1, 1e9 do local a = ('%d'):format(i) end");
  INFO(code);
  ScriptWorld world;
  run_bad(world, code);
  CHECK(world.sink.verdicts[1].code == Code::kScriptTimeout);
  CHECK(world.sink.verdicts[1].text == "test@1: handler ran too long");
  CHECK(world.app->stats().timeouts == 1);
  const KeptLog::Line* line = world.log.find("handler ran too long");
  REQUIRE(line);
  CHECK(line->fields.at("error").find("ran longer than its limit of 20 ms") != std::string::npos);
}

TEST_CASE("a recursion through C ends in an error, not in the end of the process") {
  const char* code =
      GENERATE("local function f(s) return (s:gsub('.', f)) end f('x')",
               "local v = { a = '${b}', b = '${a}' } local function ex(s) return (s:gsub('%${(%w+)}', "
               "function(k) return ex(v[k]) end)) end ex('${a}')",
               "local function f() coroutine.wrap(f)() end f()",
               "local function f() return coroutine.resume(coroutine.create(f)) end f() error('C stack')");
  INFO(code);
  ScriptWorld world;
  world.limits.memory_bytes_max = 512 << 20;
  world.limits.burst_max = 10s;
  run_bad(world, code);
  // Of the stack that is too deep, or of the memory or the time that it took to get there.
  CHECK(world.sink.verdicts[1].code != Code::kOk);
}

TEST_CASE("xpcall is what it was for errors of the app's own") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg) local ok, a, b = xpcall(function(x) error(x, 0) end, function(e) return e .. '!' "
      "end, 'no')"
      " local fine, one, two = xpcall(function(...) return ... end, print, 1, 2)"
      " msg:reply(tostring(ok) .. a .. tostring(b) .. tostring(fine) .. one .. two) end)");
  world.sink.verdicts.clear();
  world.handle({world.command("1")});
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].text == "falseno!niltrue12");
}

TEST_CASE("a pattern that backtracks for ever ends, too") {
  const char* code = GENERATE(
      "local x = ('a'):rep(3000):find(('.-'):rep(12) .. 'b')", "local x = ('a'):rep(3000):match(('a*'):rep(12) .. 'b')",
      "for _ in ('a'):rep(3000):gmatch(('.-'):rep(12) .. 'b') do end",
      "local x = ('a'):rep(3000):gsub(('a*'):rep(12) .. 'b', '')", "local x = ('('):rep(200000):gsub('%b()', '')");
  INFO(code);
  ScriptWorld world;
  run_bad(world, code);
  CHECK(world.sink.verdicts[1].code == Code::kScriptTimeout);
  const Duration time = time_of([&] { world.handle({world.command("bad")}); });
  CHECK(time > world.limits.burst_max / 2);
  CHECK(time < 10 * world.limits.burst_max);
}

TEST_CASE("the limit is per message, not per batch") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) for i = 1, 2e6 do local s = i % 3 end msg:reply('good') end)");
  const Duration one = time_of([&] { world.handle({world.command("")}); });
  const size_t count = std::min<size_t>(500, static_cast<size_t>(world.limits.burst_max / one + 1) * 4);
  std::vector<Delivery> batch;
  for (size_t i = 0; i < count; ++i) batch.push_back(world.command(""));
  world.sink.verdicts.clear();
  CHECK(time_of([&] { world.handle(batch); }) > world.limits.burst_max);
  size_t good = 0;
  for (const auto& verdict : world.sink.verdicts) good += verdict.text == "good";
  CHECK(good == count);
}

TEST_CASE("after an overrun the app runs at full speed again") {
  ScriptWorld world;
  run_bad(world, "while true do end");
  for (int i = 0; i < 1000; ++i) world.handle({world.command("fine")});
  CHECK(world.app->stats().timeouts == 1);
  CHECK(world.sink.verdicts.back().text == "good");
}

TEST_CASE("without a watchdog nothing is limited but memory") {
  ScriptWorld world;
  world.watchdog = nullptr;
  CHECK(world.answer("for i = 1, 1e7 do local x = i end msg:reply('done')") == "done");
}

TEST_CASE("an app that loads for ever is refused") {
  ScriptWorld world;
  world.limits.load_timeout = 30ms;
  CHECK(world.load_error({{"main.lua", "\n\nwhile true do pcall(function() while true do end end) end"}})
            .find("ran longer than its limit of 30 ms") != std::string::npos);
  CHECK(world.try_load({{"main.lua", "for i = 1, 1000 do end"}}));
}

TEST_CASE("loading may take longer than a message") {
  ScriptWorld world;
  world.limits.burst_max = 5ms;
  world.load("local x = 0 for i = 1, 3e7 do x = x + i % 7 end gw.handle('x', function(msg) msg:reply('good') end)");
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).text == "good");
}

TEST_CASE("a handler that takes all memory fails, and the VM is as good as before") {
  const char* code =
      GENERATE("local t = {} for i = 1, 1e9 do t[i] = { i } end", "local s = 'x' while true do s = s .. s end",
               "hoard = {} for i = 1, 1e9 do hoard[i] = ('x'):rep(1000) .. i end",
               "local function f(...) return f(1, ...) end f()",
               "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
               "local t = { ('y'):rep(1000) } for i = 1, 30 do t[1] = t[1]:gsub('y', 'yy') end");
  INFO(code);
  ScriptWorld world;
  world.limits.memory_bytes_max = 8 << 20;
  world.limits.burst_max = 2s;
  world.load("hoard = nil gw.handle('x', function(msg) if msg:body() == 'bad' then hoard = nil " + std::string(code) +
             " end msg:reply('good') end)");
  const size_t before = world.app->stats().memory_bytes;
  for (int round = 0; round < 3; ++round) {
    world.sink.verdicts.clear();
    world.handle({world.command("1"), world.command("bad"), world.command("3")});
    REQUIRE(world.sink.verdicts.size() == 3);
    CHECK(world.sink.verdicts[0].text == "good");
    CHECK(world.sink.verdicts[1].what == KeptVerdicts::Verdict::What::kFailure);
    if (std::string_view(code).find("f(1") == std::string_view::npos) {
      CHECK(world.sink.verdicts[1].code == Code::kScriptMemory);
    }
    if (std::string_view(code).find("hoard") == std::string_view::npos) {
      CHECK(world.sink.verdicts[2].text == "good");
      CHECK(world.app->stats().memory_bytes < before + (2 << 20));
    }
    CHECK(world.app->stats().memory_bytes <= world.limits.memory_bytes_max + (1 << 20));
  }
}

TEST_CASE("compiled code that takes all memory again and again, and catches the error, ends") {
  const char* code = GENERATE(
      "local t = {} for i = 1, 1e9 do t[i] = { i, { i } } end", "local t = {} for i = 1, 1e9 do t[{}] = i .. 'x' end",
      "local t for i = 1, 1e9 do t = { t, i = i } end", "local s = 'x' for i = 1, 60 do s = s .. s end",
      "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(i % 90000) .. i end",
      "local t = {} for i = 1, 1e9 do t[i] = function() return i end end",
      "local function deep(n) return { deep(n + 1) } end deep(1)");
  INFO(code);
  ScriptWorld world;
  world.limits.memory_bytes_max = GENERATE(2 << 20, 4 << 20);
  world.limits.burst_max = 2s;
  world.load(
      "gw.handle('x', function(msg) if msg:body() ~= 'bad' then return msg:reply('good') end for _ = 1, 30 do "
      "pcall(function() " +
      std::string(code) + " end) end msg:reply('got away') end)");
  for (int round = 0; round < 20; ++round) {
    world.clock.advance(1h);  // or the handler rests
    world.sink.verdicts.clear();
    world.handle({world.command("bad"), world.command("")});
    REQUIRE(world.sink.verdicts.size() == 2);
    // One large request is refused where it is made, which a pcall may catch; many small ones end the handler.
    if (world.sink.verdicts[0].text != "got away") CHECK(world.sink.verdicts[0].code == Code::kScriptMemory);
    CHECK(world.app->stats().memory_bytes <= world.limits.memory_bytes_max);
    CHECK(world.sink.verdicts[1].text == "good");
  }
}

TEST_CASE("what is not used any more does not count") {
  ScriptWorld world;
  world.limits.burst_max = 2s;
  world.limits.memory_bytes_max = 8 << 20;
  world.load(
      "gw.handle('x', function(msg) local sum = 0 for i = 1, 200 do local t = {} for j = 1, 2000 do t[j] = { j } end "
      "sum = sum + #t end msg:reply(tostring(sum)) end)");
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).text == "400000");
}

TEST_CASE("garbage never looks like a lack of memory") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 8 << 20;
  world.load(
      "local keep = {} for i = 1, 6400 do keep[i] = ('x'):rep(900) .. i end "
      "gw.handle('x', function(msg) local t = {} for i = 1, 20 do t[i] = msg.id .. ('y'):rep(5000) end "
      "msg:reply('good') end)");
  REQUIRE(world.app->stats().memory_bytes > world.limits.memory_bytes_max * 7 / 10);
  for (int i = 0; i < 500; ++i) world.handle({world.command("")});
  for (const auto& verdict : world.sink.verdicts) REQUIRE(verdict.text == "good");
}

TEST_CASE("an app that needs more memory than it may have does not load") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 2 << 20;
  CHECK(world.load_error("big = {} for i = 1, 1e6 do big[i] = { i } end") ==
        "test/main.lua:1: not enough memory: more than its limit of 2048 KiB is in use");
  world.limits.memory_bytes_max = 64 << 10;
  CHECK_FALSE(world.try_load({{"main.lua", "return"}}));
}

TEST_CASE("the limit holds on whichever thread the app runs") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) while true do end end)");
  std::thread worker([&] { world.handle({world.command("")}); });
  worker.join();
  CHECK(world.sink.verdicts.at(0).code == Code::kScriptTimeout);
}

TEST_CASE("one watchdog looks after many apps") {
  ScriptWorld world;
  std::vector<std::unique_ptr<App>> apps;
  for (int i = 0; i < 20; ++i) {
    auto app = world.try_load({{"main.lua", "require('godwit').handle('x', function() while true do end end)"}});
    REQUIRE(app);
    apps.push_back(std::move(*app));
  }
  for (auto& app : apps) {
    const std::vector<Delivery> batch{world.command("")};
    app->handle(batch, world.sink);
    CHECK(world.sink.verdicts.back().code == Code::kScriptTimeout);
  }
}

TEST_CASE("a handler that waits again and again uses its processor time up all in all") {
  ScriptWorld world;
  world.limits.cpu_max = 40ms;
  world.load(
      "gw.handle('x', function(msg) for i = 1, 1000 do local x = 0 for n = 1, 1e6 do x = x + n % 7 end "
      "gw.sleep(0.01) end msg:reply('done') end)");
  world.handle({world.command("1")});
  int turns = 0;
  for (; world.sink.verdicts.empty() && turns < 1000; ++turns) world.pass(20ms);
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].code == Code::kScriptTimeout);
  CHECK(turns > 2);
  CHECK(turns < 500);
  const KeptLog::Line* line = world.log.find("handler ran too long");
  REQUIRE(line);
  CHECK(line->fields.at("error").find("ran longer than its limit of 40 ms") != std::string::npos);
}

TEST_CASE("who comes near to the limit of memory is named once, and garbage does not count") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 16 << 20;
  world.limits.burst_max = 10s;  // it is not about time
  world.load(
      "local kept = {} gw.handle('x', function(msg) local into = msg:body() == 'keep' and kept or {} "
      "if msg:body() == 'drop' then kept = {} elseif msg:body() == 'crumb' then into[1] = (' '):rep(1e5 + msg.id) "
      "else for i = 1, 14 do into[i % 14] = (' '):rep(1e6 + i) "
      "if into ~= kept then into[i % 14] = nil end end end msg:reply('') end)");
  constexpr const char* kNear = "a script comes near to its limit of memory";
  world.handle({world.command("waste")});
  CHECK(world.log.count(kNear) == 0);
  world.handle({world.command("keep")});
  world.handle({world.command("keep")});
  REQUIRE(world.log.count(kNear) == 1);
  CHECK(world.log.find(kNear)->fields.at("app") == "test@1");
  world.handle({world.command("drop")});
  for (int i = 0; i < 400; ++i) world.handle({world.command("crumb")});  // the collector comes round
  world.handle({world.command("keep")});  // garbage may leave it too little room, and is then collected
  world.handle({world.command("keep")});
  CHECK(world.log.count(kNear) == 2);
}

TEST_CASE("C code that does not come back for long is named while it is away, Lua that runs for long is not") {
  constexpr const char* kStuck = "a script is stuck, probably in a function of C: its worker does nothing else";
  ScriptWorld world;
  world.settings.trust = AppSettings::Trust::kTrusted;
  world.watchdog = make_watchdog(30ms);
  world.load(
      "local ffi = require 'ffi' ffi.cdef 'int usleep(unsigned us);' "
      "gw.handle('x', function(msg) for i = 1, tonumber(msg:body()) do ffi.C.usleep(6e5 / msg:body()) end "
      "msg:reply('back') end)");
  world.handle({world.command("600")});
  CHECK(world.sink.verdicts[0].text == "back");
  CHECK(world.log.count(kStuck) == 0);
  world.handle({world.command("1")});
  CHECK(world.sink.verdicts[1].text == "back");
  REQUIRE(world.log.find(kStuck));
  CHECK(world.log.find(kStuck)->fields.at("app") == "test@1");
  CHECK(world.log.count(kStuck) == 1);
}

TEST_CASE("timers are counted while the app loads") {
  ScriptWorld world;
  world.limits.timers_max = 3;
  CHECK(world.load_error("for i = 1, 4 do gw.every(1, function() end) end").find("more than 3 timers") !=
        std::string::npos);
}

#include <thread>

#include "port/mailbox.h"
#include "port/work_pool.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// Runs work on a thread of its own, when the test says so.
class OneThread : public WorkPool {
 public:
  bool run(std::function<void()> work) override {
    if (full) return false;
    works.push_back(std::move(work));
    return true;
  }
  void run_all() {
    std::thread([this] {
      for (const auto& work : std::exchange(works, {})) work();
    }).join();
  }
  std::vector<std::function<void()>> works;
  bool full = false;
};

class KeptTasks : public Mailbox {
 public:
  bool post(std::function<void()> work) override {
    if (full) return false;
    tasks.push_back(std::move(work));
    return true;
  }
  std::vector<std::function<void()>> tasks;
  bool full = false;
};

struct WorkWorld : ScriptWorld {
  WorkWorld() {
    pool = &thread;
    mailbox = &tasks;
  }
  /// A handler that calls gw.work with `arguments` on the module `m`.
  void begin(const std::string& module, const std::string& arguments) {
    load(Files{{"lib/m.lua", module},
               {"main.lua",
                "local gw = require 'godwit' local function show(v) return type(v) == 'table' and "
                "gw.json.encode(v) or tostring(v) end "
                "gw.handle('do.it', function(msg) local v, err = gw.work('m', " +
                    arguments + ") msg:reply(err and err.name .. ': ' .. err.message or show(v)) end)"}});
    sink.verdicts.clear();
    handle({command("")});
  }
  void finish() {
    thread.run_all();
    for (const auto& task : std::exchange(tasks.tasks, {})) task();
    go_on();
  }
  std::string result(const std::string& module, const std::string& arguments) {
    begin(module, arguments);
    finish();
    REQUIRE(sink.verdicts.size() == 1);
    return sink.verdicts[0].text;
  }

  OneThread thread;
  KeptTasks tasks;
};

}  // namespace

TEST_CASE("a function of a module runs elsewhere, and its value comes back") {
  WorkWorld world;
  world.begin("return {add = function(a, b) return a + b end}", "'add', 2, 3");
  CHECK(world.sink.verdicts.empty());
  CHECK(world.app->pins() > 0);
  world.finish();
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].text == "5");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a full mailbox loses no answer and keeps no place taken") {
  WorkWorld world;
  world.tasks.full = true;
  world.load(
      ScriptWorld::Files{{"lib/m.lua", "return {f = function() return 1 end}"},
                         {"main.lua",
                          "local gw = require 'godwit' gw.handle('do.it', function(msg) local tasks, done = {}, 0 "
                          "for i = 1, 1000 do tasks[i] = gw.spawn(function() local one = gw.work('m', 'f') done = done "
                          "+ (one or 0) end) end "
                          "gw.all(tasks) msg:reply(done) end)"}});
  for (int round = 1; round <= 2; ++round) {
    world.handle({world.command("")});
    world.go_on();
    world.finish();
    REQUIRE(world.sink.verdicts.size() == static_cast<size_t>(round));
    CHECK(world.sink.verdicts.back().text == "1000");
  }
}

TEST_CASE("plain data goes there and back, nil included") {
  WorkWorld world;
  CHECK(world.result("return {f = function(t) return {n = #t.list, s = t.s .. '!'} end}",
                     "'f', {list = {1, 2}, s = 'x'}") == R"({"n":2,"s":"x!"})");
  CHECK(world.result("return {f = function(a, b, c) return tostring(a) .. tostring(b) .. c end}",
                     "'f', nil, false, 'z'") == "nilfalsez");
  CHECK(world.result("return {f = function() end}", "'f'") == "nil");
  CHECK(world.result("return {f = function() return 1 end}", "'f', function() end").substr(0, 11) == "ValueWrong:");
}

TEST_CASE("what goes wrong there comes back as an error") {
  WorkWorld world;
  CHECK(world.result("return {f = function() error('no') end}", "'f'") == "ScriptError: test/lib/m.lua:1: no");
  CHECK(world.result("return {f = function() return nil, 'not today' end}", "'f'") == "ScriptError: not today");
  CHECK(world.result("local gw = require 'godwit' return {f = function() return nil, gw.err('Forbidden', 'you') end}",
                     "'f'") == "Forbidden: you");
  CHECK(world.result("return {}", "'f'") == "ScriptError: gw.work: the module 'm' has no function 'f'");
  CHECK(world.result("return {", "'f'").substr(0, 12) == "ScriptError:");
  CHECK(world.result("local gw = require 'godwit' return {f = function() gw.sleep(1) end}", "'f'").substr(0, 12) ==
        "ScriptError:");
  CHECK(world.result("local gw = require 'godwit' return {f = function() gw.handle('x', print) end}", "'f'")
            .find("while the app loads") != std::string::npos);
}

TEST_CASE("work has the limits of its app, and the next goes on as if nothing had been") {
  WorkWorld world;
  world.limits.handler_timeout = 50ms;
  const std::string module =
      "return {spin = function() while true do end end, eat = function() local t = {} for i = 1, 1e9 do t[i] = i end "
      "end, fine = function() return 'fine' end}";
  CHECK(world.result(module, "'spin'").substr(0, 14) == "ScriptTimeout:");
  world.limits.handler_timeout = 10s;
  world.limits.memory_bytes_max = 8 << 20;
  CHECK(world.result(module, "'eat'").substr(0, 13) == "ScriptMemory:");
  CHECK(world.result(module, "'fine'") == "fine");
}

TEST_CASE("work that ends after its app is heard of by nobody") {
  WorkWorld world;
  world.begin("return {f = function() return 1 end}", "'f'");
  world.app.reset();
  world.thread.run_all();
  for (const auto& task : world.tasks.tasks) task();
  CHECK(world.sink.verdicts.empty());
}

TEST_CASE("without a pool, or with a full one, it is refused at once") {
  WorkWorld world;
  world.thread.full = true;
  CHECK(world.result("return {}", "'f'").substr(0, 13) == "LimitReached:");
  ScriptWorld alone;
  CHECK(alone.answer("local v, err = gw.work('m', 'f') msg:reply(err.name)") == "NotSupported");
  CHECK(alone.raised("gw.work('m')") == "test/main.lua:1: gw.work: the function's name must be a string, got nil");
}

#include <catch2/catch.hpp>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;
using namespace std::chrono_literals;

namespace {

using What = KeptVerdicts::Verdict::What;

std::vector<std::string> replies(const ScriptWorld& world) {
  std::vector<std::string> texts;
  for (const auto& verdict : world.sink.verdicts)
    texts.push_back(verdict.what == What::kFailure ? std::string(describe(verdict.code)->name) : verdict.text);
  return texts;
}

/// Runs `body` as a handler, lets ten seconds pass in small steps, and returns what it replied.
std::string answer_later(const std::string& body) {
  ScriptWorld world;
  world.load("gw.handle('do.it', function(msg, session) " + body + " end)");
  world.handle({world.command("hello")});
  for (int i = 0; i < 100; ++i) world.pass(100ms);
  REQUIRE(world.sink.verdicts.size() == 1);
  return replies(world)[0] == world.sink.verdicts[0].text
             ? world.sink.verdicts[0].text
             : replies(world)[0] + (world.log.lines.empty() ? "" : ": " + world.log.lines.back().fields.at("error"));
}

}  // namespace

TEST_CASE("a handler that sleeps answers later, and keeps its message") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg, session) local h = msg.headers.x gw.sleep(0.5) "
      "msg:reply(msg:body() .. msg.kind .. msg.action .. msg.id .. h .. session.uid .. session.client_id) end)");
  const wire::Header header{"x", "value"};
  {
    std::string body = "gone soon";
    Delivery delivery = world.command(body);
    delivery.headers = {&header, 1};
    world.handle({delivery});
    body.assign("overwritten");
  }
  CHECK(world.sink.verdicts.empty());
  CHECK(world.sink.suspended == std::vector<std::pair<uint64_t, bool>>{{101, true}});
  CHECK(world.app->pins() == 2);
  world.pass(499ms);
  CHECK(world.sink.verdicts.empty());
  world.pass(1ms);
  CHECK(replies(world) == std::vector<std::string>{"gone sooncommanddo.it101valueadadevice-7"});
  CHECK(world.app->pins() == 0);
}

TEST_CASE("messages behind one that waits are handled meanwhile") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) if msg:body() ~= '' then gw.sleep(tonumber(msg:body())) end "
      "msg:reply(msg:body()) end, { ordered = false })");
  world.handle({world.command(""), world.command("0.3"), world.command(""), world.command("0.1"), world.command("0.2"),
                world.command("")});
  CHECK(world.sink.suspended.at(0).second == false);
  for (int i = 0; i < 4; ++i) world.pass(100ms);
  CHECK(replies(world) == std::vector<std::string>{"", "", "", "0.1", "0.2", "0.3"});
}

TEST_CASE("a handler may wait again and again, inside pcall and in coroutines of its own") {
  CHECK(answer_later("local n = 0 for i = 1, 20 do gw.sleep('10ms') n = n + 1 end msg:reply(n)") == "20");
  CHECK(answer_later("local ok, v = pcall(function() gw.sleep(1) return 'in' end) msg:reply(tostring(ok) .. v)") ==
        "truein");
  CHECK(answer_later("local ok, e = pcall(function() gw.sleep(1) error('x', 0) end) msg:reply(e)") == "x");
  CHECK(answer_later("local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) gw.sleep(1) "
                     "coroutine.yield(b + 1) return 'end' end) msg:reply(co(1) .. co(5) .. co())") == "26end");
  CHECK(answer_later("local t = setmetatable({}, { __index = function(_, k) gw.sleep(1) return k end }) "
                     "msg:reply(t.deep)") == "deep");
  CHECK(answer_later("for v in coroutine.wrap(function() for i = 1, 3 do gw.sleep(1) coroutine.yield(i) end end) do "
                     "last = v end msg:reply('x')") ==
        "HandlerFailed: test/main.lua:1: assignment to undeclared "
        "global 'last': make it local, or declare it while the app "
        "loads");
}

TEST_CASE("where nothing can wait, the error says so and what to do") {
  CHECK(answer_later("local s = ('a'):gsub('a', function() gw.sleep(1) end) msg:reply(s)")
            .find("cannot wait here: a function of C") != std::string::npos);
  ScriptWorld world;
  CHECK(world.load_error("gw.sleep(1)") ==
        "test/main.lua:1: gw.sleep: nothing can wait while the app loads; gw.spawn and gw.after run a function once it "
        "is live");
  CHECK(world.load_error("gw.sleep('1 fortnight')").find("expected seconds, or text such as") != std::string::npos);
}

TEST_CASE("an error after waiting fails the message that waited, with place and traceback in the log") {
  ScriptWorld world;
  world.load("gw.handle('do.it', function(msg) gw.sleep(1) error('broken') end)");
  world.handle({world.command("")});
  world.pass(1s);
  REQUIRE(replies(world) == std::vector<std::string>{"HandlerFailed"});
  CHECK(world.log.lines.back().fields.at("error") == "test/main.lua:1: broken");
  CHECK(world.log.lines.back().fields.at("message") == "101");
  CHECK(world.log.lines.back().fields.at("app") == "test@1");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a handler that waits too long fails, and hears of it where it waits") {
  ScriptWorld world;
  world.limits.handler_timeout = 2s;
  world.load(
      "heard = nil gw.handle('do.it', function(msg) local ok, err = pcall(gw.sleep, 60) heard = err.name "
      "local late, why = msg:reply('late') heard = heard .. why.name end)"
      "gw.handle('ask', function(msg) msg:reply(heard) end)");
  world.handle({world.command("")});
  world.pass(1999ms);
  CHECK(world.sink.verdicts.empty());
  world.pass(1ms);
  CHECK(replies(world) == std::vector<std::string>{"ScriptTimeout"});
  Delivery ask = world.command("");
  ask.handler = 1;
  world.handle({ask});
  CHECK(replies(world).back() == "ScriptTimeoutStaleHandle");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a handler's own timeout and the sender's deadline both end the wait") {
  ScriptWorld world;
  world.load("gw.handle('do.it', function(msg) gw.sleep(60) end, { timeout = '300ms' })");
  Delivery hasty = world.command("");
  hasty.deadline = world.clock.now() + 100ms;
  world.handle({world.command(""), hasty});
  world.pass(100ms);
  CHECK(world.sink.verdicts.size() == 1);
  world.pass(200ms);
  CHECK(world.sink.verdicts.size() == 2);
}

TEST_CASE("a deferred message is answered after its handler's end, once") {
  ScriptWorld world;
  world.load(
      "local kept gw.handle('do.it', function(msg) if msg:body() == 'keep' then kept = msg:defer() return end "
      "local ok, err = kept:reply('kept') msg:reply(tostring(ok) .. (err and err.name or '')) end)");
  world.handle({world.command("keep")});
  CHECK(world.sink.verdicts.empty());
  CHECK(world.sink.suspended == std::vector<std::pair<uint64_t, bool>>{{101, false}});
  world.handle({world.command(""), world.command("")});
  CHECK(replies(world) == std::vector<std::string>{"kept", "true", "nilStaleHandle"});
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a deferred message that nobody answers fails at its time") {
  ScriptWorld world;
  world.limits.handler_timeout = 1s;
  world.load("gw.handle('do.it', function(msg) msg:defer() end)");
  world.handle({world.command("")});
  world.pass(999ms);
  CHECK(world.sink.verdicts.empty());
  world.pass(1ms);
  CHECK(replies(world) == std::vector<std::string>{"ScriptTimeout"});
}

TEST_CASE("tasks run beside the handler, give results, fail, and are cancelled") {
  CHECK(answer_later("local t = gw.spawn(function(a, b) gw.sleep(1) return a + b, 'two' end, 1, 2) "
                     "local sum, two = t:wait() msg:reply(sum .. two)") == "3two");
  CHECK(answer_later("local t = gw.spawn(function() error('no luck') end) local v, err = t:wait() "
                     "msg:reply(tostring(v) .. err.name .. err.message)") ==
        "nilHandlerFailedtest/main.lua:1: no luck");
  CHECK(
      answer_later("local t = gw.spawn(gw.sleep, 60) local v, err = t:wait('100ms') t:cancel() local w, why = t:wait()"
                   " msg:reply(err.name .. why.name .. tostring(t:done()))") == "DeadlineExceededCancelledtrue");
  CHECK(answer_later("local n = 0 local function task(v) gw.sleep(0.1) n = n + 1 return v end local values = "
                     "gw.all { gw.spawn(task, 'a'), gw.spawn(task, 'b'), gw.spawn(task, 'c') } "
                     "msg:reply(table.concat(values) .. n)") == "abc3");
  CHECK(answer_later("local i, v = gw.any { gw.spawn(gw.sleep, 9), gw.spawn(function() gw.sleep(1) return 'fast' end), "
                     "gw.spawn(error) } msg:reply(i .. v)") == "2fast");
  CHECK(answer_later("local ran = false local t = gw.spawn(function() ran = true end) t:cancel() gw.sleep(1) "
                     "msg:reply(tostring(ran))") == "false");
}

TEST_CASE("channels and semaphores make tasks wait for each other") {
  CHECK(answer_later("local c = gw.channel(2) gw.spawn(function() for i = 1, 10 do c:send(i) end c:close() end) "
                     "local sum = 0 while true do local v = c:recv() if not v then break end sum = sum + v end "
                     "msg:reply(sum)") == "55");
  CHECK(answer_later("local c = gw.channel() local v, err = c:recv('1s') c:send(1) local w, why = c:send(2, 1) "
                     "msg:reply(err.name .. why.name .. c:recv())") == "DeadlineExceededDeadlineExceeded1");
  CHECK(answer_later("local s, inside, most = gw.semaphore(2), 0, 0 local tasks = {} for i = 1, 8 do tasks[i] = "
                     "gw.spawn(function() s:acquire() inside = inside + 1 most = math.max(most, inside) gw.sleep(0.1) "
                     "inside = inside - 1 s:release() end) end gw.all(tasks) msg:reply(most)") == "2");
}

TEST_CASE("a receiver that was cancelled takes no value with it") {
  CHECK(answer_later("local c = gw.channel(4) local a = gw.spawn(function() return c:recv() end) "
                     "local b = gw.spawn(function() return c:recv() end) gw.sleep(0.1) c:send('x') a:cancel() "
                     "msg:reply(tostring(b:wait(1) or a:wait()))") == "x");
}

TEST_CASE("nothing begins before the app is live") {
  ScriptWorld world;
  auto app = world.try_load({{"main.lua",
                              "local gw = require 'godwit' n = 0 gw.every(1, function() n = n + 1 end, { each_worker = "
                              "true }) gw.after(1, function() n = n + 100 end) gw.spawn(function() n = n + 10000 end) "
                              "gw.handle('x', function(msg) msg:reply(n) end)"}});
  REQUIRE(app);
  world.app = std::move(*app);
  world.pass(10s);
  world.handle({world.command("")});
  world.app->start();
  world.pass(0s);
  world.pass(1s);
  world.handle({world.command("")});
  CHECK(replies(world) == std::vector<std::string>{"0", "10101"});
}

TEST_CASE("timers run once or again and again, at their rate, until the generation is retired") {
  ScriptWorld world;
  world.load(
      "ticks, once = 0, 0 gw.every('1s', function() ticks = ticks + 1 if ticks == 2 then error('second') end end, "
      "{ each_worker = true }) gw.after(0.5, function() once = once + 1 end) "
      "gw.every(1, function() ticks = 1000 end) "  // of another worker
      "gw.handle('do.it', function(msg) msg:reply(ticks .. ':' .. once) end)");
  const auto asked = [&] {
    world.handle({world.command("")});
    return replies(world).back();
  };
  for (int i = 0; i < 35; ++i) world.pass(100ms);
  CHECK(asked() == "3:1");
  CHECK(world.log.lines.back().text == "timer failed");
  CHECK(world.log.lines.back().fields.at("error") == "test/main.lua:1: second");
  world.app->retire();
  world.pass(10s);
  CHECK(asked() == "3:1");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("cron runs at its minutes, and refuses what it cannot read") {
  ScriptWorld world;
  world.load(
      "n = 0 gw.cron('*/15 * * * *', function() n = n + 1 end, { each_worker = true }) "
      "gw.handle('do.it', function(msg) msg:reply(n) end)");
  for (int i = 0; i < 120; ++i) world.pass(30s);
  world.handle({world.command("")});
  CHECK(replies(world).back() == "4");
  for (const char* bad :
       {"* * * *", "60 * * * *", "* * * * * *", "x * * * *", "5-1 * * * *", "0 0 31 2 *", "*/0 * * * *"}) {
    INFO(bad);
    CHECK(world.load_error("gw.cron('" + std::string(bad) + "', print)").find("gw.cron: ") != std::string::npos);
  }
}

TEST_CASE("more coroutines than allowed: an error that says so, and those that wait go on") {
  ScriptWorld world;
  world.limits.coroutines_max = 3;
  world.load("gw.handle('do.it', function(msg) local ok, err = gw.sleep(1) msg:reply(ok and 'ok' or err.name) end)");
  world.handle({world.command(""), world.command(""), world.command(""), world.command("")});
  CHECK(replies(world) == std::vector<std::string>{"CoroutineLimit"});
  world.pass(1s);
  CHECK(replies(world) == std::vector<std::string>{"CoroutineLimit", "ok", "ok", "ok"});
}

TEST_CASE("an app that is ended tells everybody who waits") {
  ScriptWorld world;
  world.load("gw.handle('do.it', function(msg) if msg:body() == 'defer' then return msg:defer() end gw.sleep(60) end)");
  world.handle({world.command(""), world.command("defer")});
  world.app->cancel(Code::kScriptRetired, world.sink);
  world.go_on();
  CHECK(replies(world) == std::vector<std::string>{"ScriptRetired", "ScriptRetired"});
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a task that loops for ever after waiting is ended like any handler") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) if msg:body() == 'task' then gw.spawn(function() gw.sleep(1) while true do end "
      "end) return msg:reply('begun') end gw.sleep(1) while true do pcall(function() while true do end end) end end)");
  world.handle({world.command("task"), world.command("")});
  world.go_on();
  world.pass(1s);
  CHECK(replies(world) == std::vector<std::string>{"begun", "ScriptTimeout"});
  CHECK(world.app->stats().timeouts == 2);
  CHECK(world.app->pins() == 0);
}

TEST_CASE("tasks that wake each other for ever leave the loop its turns") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) local a, b = gw.channel(), gw.channel() gw.spawn(function() while true do "
      "a:send(1) b:recv() end end) gw.spawn(function() while true do a:recv() b:send(1) end end) msg:reply('') end)");
  world.handle({world.command("")});
  for (int i = 0; i < 100; ++i) CHECK(world.app->run_ready(world.sink));
}

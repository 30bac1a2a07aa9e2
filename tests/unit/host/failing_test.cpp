#include "host/breaker.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;
using namespace std::chrono_literals;

namespace {

std::vector<Code> codes(const ScriptWorld& world) {
  std::vector<Code> codes;
  for (const auto& verdict : world.sink.verdicts) codes.push_back(verdict.code);
  return codes;
}

}  // namespace

TEST_CASE("an error value that is raised fails the message with its code and text, and is no breakdown") {
  ScriptWorld world;
  CHECK(world.answer("error(gw.err('Forbidden', 'not yours'))") == "Forbidden: not yours");
  CHECK(world.app->stats().errors == 0);
  CHECK(world.log.lines.empty());
  world.load("gw.handle('x', function(msg) gw.sleep(1) error(gw.err('QueueFull')) end)");
  world.sink.verdicts.clear();
  world.handle({world.command("")});
  world.pass(1s);
  CHECK(codes(world) == std::vector<Code>{Code::kQueueFull});
  CHECK(world.sink.verdicts[0].text == "the session's outgoing queue is full");
  CHECK(world.answer("error({ code = 6002, message = 'made up' })") ==
        "HandlerFailed: test@1: handler failed");  // only what gw.err made
  CHECK(world.raised("gw.err('Nonsense')") == "test/main.lua:1: gw.err: 'Nonsense' is no error code; see gw.errors");
}

TEST_CASE("an error says when to try again, raised, waited for or told") {
  ScriptWorld world;
  const auto retry_after = [&](const std::string& body) {
    world.load("gw.handle('x', function(msg) " + body + " end)");
    world.sink.verdicts.clear();
    world.handle({world.command("")});
    world.pass(1s);
    REQUIRE(world.sink.verdicts.size() == 1);
    CHECK(world.sink.verdicts[0].code == Code::kRateLimited);
    return world.sink.verdicts[0].retry_after;
  };
  CHECK(retry_after("error(gw.err('RateLimited', 'slow down', { retry_after = '2s' }))") == 2s);
  CHECK(retry_after("gw.sleep(1) error(gw.err('RateLimited', nil, { retry_after = 0.5 }))") == 500ms);
  CHECK(retry_after("msg:fail('RateLimited', 'slow down', { retry_after = '250ms' })") == 250ms);
  CHECK(retry_after("msg:fail('RateLimited', 'slow down')") == 0s);
  CHECK(retry_after("error(gw.err('RateLimited'))") == 0s);  // what its code says everybody knows
  CHECK(retry_after("msg:fail('RateLimited', '', { retry_after = 1e300 })") == 24h);
  CHECK(retry_after("local e = gw.err('RateLimited') e.retry_after = 0/0 error(e)") == 0s);
  CHECK(world.answer("msg:reply(gw.err('RateLimited', '', { retry_after = 7 }).retry_after)") == "7");
  CHECK(world.answer("msg:reply(gw.err('RateLimited').retry_after)") == "1");
  CHECK(world.raised("gw.err('RateLimited', '', { after = 7 })").find("unknown option 'after'") != std::string::npos);
  CHECK(world.raised("msg:fail('RateLimited', '', 7)").find("the options must be a table") != std::string::npos);
}

TEST_CASE("a handler whose errors pass is taken to have returned") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg) if msg:body() == 'late' then msg:reply('first') end error('no') end, "
      "{ on_error = 'pass' })");
  world.handle({world.command(""), world.command("late")});
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[0].what == KeptVerdicts::Verdict::What::kDone);
  CHECK(world.sink.verdicts[1].text == "first");
  CHECK(world.app->stats().errors == 2);
  CHECK(world.load_error("gw.handle('x', print, { on_error = 'explode' })")
            .find("option 'on_error' must be 'fail', 'pass' or 'close'") != std::string::npos);
}

TEST_CASE("middleware goes around handlers like the skins of an onion") {
  ScriptWorld world;
  world.load(
      "local trail = {} local function skin(name) gw.use(function(msg, session, next) trail[#trail + 1] = name .. '(' "
      "next() trail[#trail + 1] = ')' .. name end) end skin('a') skin('b') "
      "gw.use(function(msg, session, next) if msg:body() == 'stop' then return msg:fail('Forbidden') end next() end) "
      "gw.handle('x', function(msg) if msg:body() == 'show' then msg:reply(table.concat(trail, ' ')) trail = {} else "
      "trail[#trail + 1] = msg:body() msg:reply('') end end)");
  world.handle({world.command("core"), world.command("stop"), world.command("show")});
  REQUIRE(world.sink.verdicts.size() == 3);
  CHECK(world.sink.verdicts[1].code == Code::kForbidden);
  CHECK(world.sink.verdicts[2].text == "a( b( core )b )a a( b( )b )a a( b(");
}

TEST_CASE("a handler that mostly fails rests, and is tried again by one message") {
  ScriptWorld world;
  world.load(
      "gw.handle('bad', function(msg) if msg:body() ~= 'well' then error('broken') end msg:reply('good') end) "
      "gw.handle('good', function(msg) msg:reply('good') end)");
  const auto bad = [&](std::string_view body) { return world.command(body); };
  const auto good = [&] {
    Delivery delivery = world.command("");
    delivery.handler = 1;
    return delivery;
  };
  for (uint32_t i = 0; i < Breaker::kFailuresMax; ++i) world.handle({bad("")});
  CHECK(codes(world) == std::vector<Code>(Breaker::kFailuresMax, Code::kHandlerFailed));
  CHECK(world.log.lines.back().text == "handler fails too often and rests");

  world.sink.verdicts.clear();
  world.handle({bad("well"), good(), bad("well"), good()});
  CHECK(codes(world) == std::vector<Code>{Code::kHandlerSuspended, Code::kOk, Code::kHandlerSuspended, Code::kOk});

  // After the rest one is let through; it fails, and the others rest on.
  world.clock.advance(Breaker::kRest);
  world.sink.verdicts.clear();
  world.handle({bad(""), bad("well")});
  CHECK(codes(world) == std::vector<Code>{Code::kHandlerFailed, Code::kHandlerSuspended});

  world.clock.advance(Breaker::kRest);
  world.sink.verdicts.clear();
  world.handle({bad("well"), bad("well"), bad("")});
  CHECK(codes(world) == std::vector<Code>{Code::kOk, Code::kOk, Code::kHandlerFailed});
}

TEST_CASE(
    "a handler that is ended by a limit ten times in a minute rests for a minute, however well it does otherwise") {
  Breaker breaker;
  Timestamp now{};
  uint64_t handled = 0;
  for (uint32_t i = 1; i < Breaker::kOverrunsMax; ++i) {
    CHECK_FALSE(breaker.failed(now += 6s, handled += 10'000, Breaker::Failure::kOverrun));
  }
  CHECK(breaker.failed(now += 5s, handled += 10'000, Breaker::Failure::kOverrun));
  CHECK_FALSE(breaker.admit(now + Breaker::kOverrunRest - 1ms));
  CHECK(breaker.admit(now + Breaker::kOverrunRest));
  breaker.succeeded();
  // Fewer of them in a minute are left to the rule for all failures.
  for (int i = 0; i < 100; ++i) CHECK_FALSE(breaker.failed(now += 7s, handled += 10'000, Breaker::Failure::kOverrun));

  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if msg:body() == 'spin' then while true do end end msg:reply('fine') end)");
  for (uint32_t i = 0; i < Breaker::kOverrunsMax; ++i) {
    for (int fine = 0; fine < 5; ++fine) world.handle({world.command("")});
    world.handle({world.command("spin")});
  }
  world.sink.verdicts.clear();
  world.handle({world.command("")});
  CHECK(codes(world) == std::vector<Code>{Code::kHandlerSuspended});
}

TEST_CASE("a handler that fails now and then is not kept from its work") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if msg:body() == 'bad' then error('no') end msg:reply('') end)");
  for (int i = 0; i < 200; ++i) world.handle({world.command("bad"), world.command(""), world.command("")});
  const std::vector<Code> all = codes(world);
  CHECK(std::count(all.begin(), all.end(), Code::kHandlerSuspended) == 0);
}

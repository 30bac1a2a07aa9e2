#include <catch2/catch.hpp>
#include <cmath>

#include "script_world.h"
#include "transfer/default_strategy.h"
#include "transfer/planner.h"
#include "transfer/strategy.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;
using transfer::Lane;
using transfer::SizeClass;

namespace {

/// The planner after the app of this text went live.
struct PlannedWorld : ScriptWorld {
  explicit PlannedWorld(const std::string& main) {
    load(main);
    transfer::Strategy* strategy = app->strategy();
    REQUIRE(strategy);
    planner.set_strategies({&strategy, 1});
  }
  const transfer::Plan& plan(uint64_t bytes) { return planner.choose(bytes, 0).plan; }
  std::string who(uint64_t bytes) { return std::string(planner.choose(bytes, 0).strategy); }

  transfer::Planner planner;
};

/// What the log says is wrong with a plan of this function, which is then not followed.
std::string complaint(const std::string& body) {
  PlannedWorld world("gw.strategy(function(info) " + body + " end)");
  CHECK(world.who(10) == "default");
  CHECK(world.app->stats().errors == 1);
  for (const KeptLog::Line& line : world.log.lines) {
    if (line.level != LogLevel::kError) continue;
    CHECK(line.fields.at("app") == "test@1");
    const auto error = line.fields.find("error");
    return error == line.fields.end() ? line.text : error->second;
  }
  return {};
}

}  // namespace

TEST_CASE("a script plans for its range of sizes, to the byte") {
  PlannedWorld world("gw.strategy(function() return { lane = 'own' } end, { min = 100, max = '2KiB' })");
  CHECK(world.plan(99).lane == Lane::kShared);
  CHECK(world.plan(100).lane == Lane::kOwn);
  CHECK(world.plan(2048).lane == Lane::kOwn);
  CHECK(world.plan(2049).lane == Lane::kShared);
  CHECK(world.who(99) == "default");
  CHECK(world.who(100) == "test");
}

TEST_CASE("a script changes what it names of a plan, and leaves the rest") {
  PlannedWorld world(
      "gw.strategy(function() return { class = 'huge', buffer = '2MiB', chunk = 4096, timeout = '2m', retries = 9, "
      "streams = 3, compress = true } end)");
  const transfer::Plan expected{SizeClass::kHuge, Lane::kShared, 2 << 20, 4096, 2min, 9, 3, true};
  CHECK(world.plan(10) == expected);
}

TEST_CASE("a script is told what it plans for") {
  PlannedWorld world(
      "local seen = {} "
      "gw.strategy(function(info) "
      "  if info.class == 'tiny' and not info.rtt then "
      "    print(info.size_min, info.size_max, info.loss, info.plan.lane, info.plan.buffer, info.plan.timeout) end "
      "  if info.class == 'huge' and info.rtt == 0.05 then print(info.size_max == math.huge, info.plan.streams) end "
      "end, { min = 3 })");
  REQUIRE(world.log.lines.size() >= 2);
  CHECK(world.log.lines[0].text == "3\t1023\t0\tshared\t1024\t5");
  CHECK(world.log.lines.back().text == "true\t1");
  CHECK(world.who(10) == "default");
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("what a script answers for one path is not followed on another") {
  PlannedWorld world("gw.strategy(function(info) if info.loss > 0.1 then return { lane = 'own' } end end)");
  CHECK(world.plan(10).lane == Lane::kShared);
  CHECK(world.planner.choose(10, transfer::bucket_of({50ms, 0.2})).plan.lane == Lane::kOwn);
}

TEST_CASE(
    "an answer that makes no sense falls back to the default, and is counted and logged under the script's name") {
  CHECK(complaint("return { class = 'giant' }") == "test/main.lua:1: gw.strategy: class cannot be giant");
  CHECK(complaint("return { lane = 'sideways' }") == "test/main.lua:1: gw.strategy: lane cannot be sideways");
  CHECK(complaint("return { speed = 9 }") == "test/main.lua:1: gw.strategy: 'speed' is nothing of a plan");
  CHECK(complaint("return { buffer = 'much' }") == "test/main.lua:1: gw.strategy: buffer cannot be much");
  CHECK(complaint("return { compress = 1 }") == "test/main.lua:1: gw.strategy: compress cannot be 1");
  CHECK(complaint("return 7") == "test/main.lua:1: gw.strategy: expected a table or nil, got number");
  CHECK(complaint("return { timeout = 'soon' }").find("gw.strategy: timeout") != std::string::npos);
  CHECK(complaint("return { streams = 0 }").find("0 streams") == 0);
  CHECK(complaint("return { retries = 1e300 }").find("retries; at most 100") != std::string::npos);
  CHECK(complaint("return { buffer = 0 / 0 }").find("buffer cannot be") != std::string::npos);
  CHECK(complaint("return { lane = 'shared' }") == "bodies of more than 65535 bytes travel on a stream of their own");
}

TEST_CASE("a strategy that raises, waits or does not end leaves its range to the default") {
  CHECK(complaint("error('broken')").find("broken") != std::string::npos);
  CHECK(complaint("gw.sleep(1)") == "gw.strategy must not wait");
  CHECK(complaint("while true do end").find("20 ms") != std::string::npos);
}

TEST_CASE("a strategy that sends what it then plans for does not enter itself") {
  PlannedWorld world("gw.strategy(function() gw.spawn(function() end) return { lane = 'own' } end)");
  CHECK(world.plan(10).lane == Lane::kOwn);
}

TEST_CASE("mistakes in strategies are told at load") {
  ScriptWorld world;
  CHECK(world.load_error("gw.strategy(7)").find("expected a function, got number") != std::string::npos);
  CHECK(world.load_error("gw.strategy(print, 7)").find("the options must be a table") != std::string::npos);
  CHECK(world.load_error("gw.strategy(print, { size = 1 })").find("unknown option 'size'") != std::string::npos);
  CHECK(world.load_error("gw.strategy(print, { min = '64 KB' })").find("option 'min': expected bytes") !=
        std::string::npos);
  CHECK(world.load_error("gw.strategy(print, { min = 2, max = 1 })").find("'min' is more than 'max'") !=
        std::string::npos);
  CHECK(world.load_error("for i = 1, 17 do gw.strategy(print) end").find("too many strategies") != std::string::npos);
  CHECK(world.raised("gw.strategy(print)").find("while the app loads only") != std::string::npos);
}

TEST_CASE("an app that only plans does something") {
  ScriptWorld world;
  world.load("gw.strategy(function() end)");
  CHECK_FALSE(world.log.find("app handles nothing: call gw.handle while it loads"));
  world.load("gw.handle('x', print)");
  CHECK(world.app->strategy() == nullptr);
}

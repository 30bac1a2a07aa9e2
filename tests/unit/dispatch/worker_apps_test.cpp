#include "app/worker_apps.h"

#include <catch2/catch.hpp>

#include "virtual_time.h"

using namespace godwit;
using namespace godwit::app;
using transfer::Lane;

namespace {

class NullSink final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// The scripts of one worker, and reloads of them.
struct World {
  testing::VirtualTime time;
  NullSink log;
  WorkerApps apps{host::AppWorld{time.clock, time.timers, Log(log, "host"), host::make_watchdog()}};

  host::ReloadPlan plan_of(const std::string& unit, const std::string& text) {
    host::AppSource source;
    source.name = unit;
    source.files = {{"main.lua", "local gw = require 'godwit' " + text}};
    source.hash = ++versions;
    return {.id = versions,
            .unit = unit,
            .source = host::make_unit(std::move(source)),
            .generation = static_cast<uint32_t>(versions),
            .replaced = host::ReloadPlan::Replaced::kKeptReady};
  }
  void load(const std::string& unit, const std::string& text) {
    const host::ReloadPlan plan = plan_of(unit, text);
    REQUIRE(apps.prepare(plan, host::AppLimits()));
    apps.commit(plan);
    apps.reap();
  }
  void change(const std::string& unit, host::ReloadPlan::Change change) {
    apps.commit({.unit = unit, .change = change});
  }

  std::string who(uint64_t bytes) { return std::string(apps.planner().choose(bytes, 0).strategy); }
  Lane lane(uint64_t bytes) { return apps.planner().choose(bytes, 0).plan.lane; }
  uint64_t versions = 0;
};

std::string own_lane(int min, int max) {
  return "gw.strategy(function() return { lane = 'own' } end, { min = " + std::to_string(min) +
         ", max = " + std::to_string(max) + " })";
}

}  // namespace

TEST_CASE("a strategy plans from the commit of its generation on, and a reload swaps it") {
  World world;
  CHECK(world.who(500) == "default");
  const host::ReloadPlan plan = world.plan_of("mine", own_lane(0, 1000));
  REQUIRE(world.apps.prepare(plan, host::AppLimits()));
  CHECK(world.who(500) == "default");  // not yet
  world.apps.commit(plan);
  CHECK(world.who(500) == "mine");
  world.load("mine", own_lane(600, 1000));
  CHECK(world.who(500) == "default");
  CHECK(world.who(600) == "mine");
  CHECK(world.lane(600) == Lane::kOwn);
}

TEST_CASE("a rollback brings the plans of the generation before back, and a stop the default's") {
  World world;
  world.load("mine", own_lane(0, 1000));
  world.load("mine", "gw.handle('x', print)");
  CHECK(world.who(500) == "default");
  world.change("mine", host::ReloadPlan::Change::kRollback);
  CHECK(world.who(500) == "mine");
  world.change("mine", host::ReloadPlan::Change::kStop);
  CHECK(world.who(500) == "default");
}

TEST_CASE("what an aborted generation would plan is never followed") {
  World world;
  world.load("mine", own_lane(0, 1000));
  REQUIRE(world.apps.prepare(world.plan_of("mine", own_lane(2000, 3000)), host::AppLimits()));
  world.apps.abort();
  CHECK(world.who(500) == "mine");
  CHECK(world.who(2500) == "default");
}

TEST_CASE("a strategy is not asked again when another unit is reloaded") {
  World world;
  world.load("mine",
             "local asked = 0 gw.strategy(function() asked = asked + 1 end) "
             "gw.export(function() return asked end)");
  const auto asked = [&] { return world.apps.find_app("mine")->export_state().value(); };
  const std::string before = asked();
  CHECK(before != "0");
  world.load("other", "gw.handle('x', print)");
  CHECK(asked() == before);
  world.load("third", own_lane(0, 10));
  CHECK(asked() != before);
}

TEST_CASE("of two units the one with the narrower range plans") {
  World world;
  world.load("wide", own_lane(0, 5000));
  world.load("narrow", "gw.strategy(function() return { retries = 7 } end, { min = 100, max = 200 })");
  CHECK(world.who(99) == "wide");
  CHECK(world.who(150) == "narrow");
  CHECK(world.lane(150) == Lane::kShared);
  CHECK(world.who(201) == "wide");
}

TEST_CASE("what binds nothing does not replace what does, and may be there where nothing else was") {
  World world;
  world.load("idle", "");
  world.load("idle", "local later");
  world.load("mine", own_lane(0, 1000));
  const auto refused = world.apps.prepare(world.plan_of("mine", ""), host::AppLimits());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kScriptLoadFailed);
  CHECK(refused.error().text.starts_with("mine/main.lua: binds nothing"));
  CHECK(world.who(500) == "mine");
  world.load("mine", "gw.every(60, print)");
  CHECK(world.who(500) == "default");
}

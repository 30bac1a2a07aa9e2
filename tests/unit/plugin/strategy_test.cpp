#include "transfer/strategy.h"
#include "plugin_world.h"
#include "transfer/planner.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;
using transfer::Lane;
using transfer::SizeClass;

namespace {

/// The planner after a plugin has gone live.
struct PlannedWorld : PluginWorld {
  void plan_by(const std::filesystem::path& plugin) {
    load(plugin);
    transfer::Strategy* strategy = app->strategy();
    REQUIRE(strategy);
    planner.set_strategies({&strategy, 1});
  }
  transfer::Planner::Choice choose(uint64_t bytes) { return planner.choose(bytes, 0); }

  transfer::Planner planner;
};

}  // namespace

TEST_CASE("a strategy plugin plans for its range, to the byte") {
  PlannedWorld world;
  world.plan_by(built("planner.so"));
  CHECK(world.choose(99).strategy == "default");
  CHECK(world.choose(100).strategy == "plugin/planner");
  CHECK(world.choose(2000).strategy == "plugin/planner");
  CHECK(world.choose(2001).strategy == "default");
  CHECK(world.choose(100).plan.lane == Lane::kOwn);
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("a strategy plugin is told up to which size its plan is followed") {
  PlannedWorld world;
  world.plan_by(built("planner.so"));
  CHECK(world.choose(1023).plan.retries == 7);
  CHECK(world.choose(1024).plan.retries == 42);
}

TEST_CASE("an unknown class of a strategy plugin falls back to the default, and is counted under the plugin's name") {
  PlannedWorld world;
  world.settings.values = {{"class", int64_t{99}}};
  world.plan_by(built("planner.so"));
  CHECK(world.choose(500).strategy == "default");
  CHECK(world.choose(500).plan.lane == Lane::kShared);
  CHECK(world.app->stats().errors == 1);
  const KeptLog::Line* line = world.log.find("plugin's plan makes no sense");
  REQUIRE(line);
  CHECK(line->fields.at("plugin") == "plugin/planner@1");
  CHECK(line->fields.at("error") == "there is no size class 99");
}

TEST_CASE("a strategy plugin that fails leaves its range to the default, and one that does not care is no failure") {
  PlannedWorld world;
  world.settings.values = {{"status", int64_t{GW_ERROR_PLUGIN_FAILED}}};
  world.plan_by(built("planner.so"));
  CHECK(world.choose(500).strategy == "default");
  CHECK(world.app->stats().errors == 1);
  world.settings.values = {{"status", int64_t{GW_ERROR_NOT_FOUND}}};
  world.plan_by(built("planner.so"));
  CHECK(world.choose(500).strategy == "default");
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("a strategy plugin of the first minor version, which names no range, plans for all sizes") {
  PlannedWorld world;
  world.plan_by(shipped("size_default"));
  for (const uint64_t bytes : {0u, 1023u, 1024u, 65'535u, 65'536u, 1u << 20, 200u << 20}) {
    CHECK(world.choose(bytes).strategy == "plugin/size_default");
    CHECK(world.choose(bytes).plan.size_class == transfer::size_class(bytes));
    CHECK(world.choose(bytes).plan.lane == (bytes < 65'536 ? Lane::kShared : Lane::kOwn));
  }
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("a strategy plugin whose range holds no size is refused") {
  PluginWorld world;
  CHECK(world.load_error(built("planner_of_nothing.so")).text.find("bytes_max is less than bytes_min") !=
        std::string::npos);
}

#include <catch2/catch.hpp>

#include "admin/health.h"
#include "fake_source.h"

using namespace godwit;
using namespace godwit::admin;

TEST_CASE("a serving server is live and ready") {
  TestClock clock;
  FakeSource source(clock);
  const Health health = judge(scrape(source, clock));
  REQUIRE(health.status == "ok");
  REQUIRE(health.live);
  REQUIRE(health.ready);
}

TEST_CASE("a loop that has not come round for five seconds is stalled, and is well again when it does") {
  TestClock clock;
  FakeSource source(clock, 3);
  clock.advance(kStallTime - 1ns);
  REQUIRE(judge(scrape(source, clock)).live);
  source.views[0].last_beat = source.views[2].last_beat = clock.now();
  clock.advance(1ns);
  const Health health = judge(scrape(source, clock));
  REQUIRE(health.status == "stalled");
  REQUIRE_FALSE(health.live);
  REQUIRE_FALSE(health.ready);
  REQUIRE(health.stalled_workers == std::vector<uint32_t>{1});
  source.views[1].last_beat = clock.now();
  REQUIRE(judge(scrape(source, clock)).status == "ok");
}

TEST_CASE("a server that starts, drains or is degraded is live and not ready") {
  TestClock clock;
  FakeSource source(clock);
  const auto status = [&] {
    const Health health = judge(scrape(source, clock));
    REQUIRE(health.live);
    REQUIRE_FALSE(health.ready);
    return health.status;
  };
  source.server.degraded = "the log cannot be written";
  REQUIRE(status() == "degraded");
  source.server.state = ServerState::kDraining;
  REQUIRE(status() == "draining");
  source.server.state = ServerState::kStarting;
  REQUIRE(status() == "starting");
}

TEST_CASE("stalling outweighs all other states") {
  TestClock clock;
  FakeSource source(clock);
  source.server.state = ServerState::kDraining;
  clock.advance(1min);
  REQUIRE(judge(scrape(source, clock)).status == "stalled");
}

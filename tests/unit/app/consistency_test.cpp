#include "app/config/consistency.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::app;

TEST_CASE("the defaults do not contradict each other") { REQUIRE(check_consistency(Config{}).empty()); }

TEST_CASE("a handler's time that is shorter than that of the requests it makes is told with both figures") {
  Config config;
  config.scripts.handler_timeout = 10s;
  const auto warnings = check_consistency(config);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].text.find("scripts.handler_timeout (10000ms)") == 0);
  CHECK(warnings[0].text.find("message.default_timeout (30000ms)") != std::string::npos);
}

TEST_CASE("processor time in all that is less than that of one run is told") {
  Config config;
  config.scripts.cpu_max = 100ms;
  REQUIRE(check_consistency(config).size() == 1);
}

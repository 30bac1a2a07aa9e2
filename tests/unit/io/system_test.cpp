#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "io/system_clock.h"
#include "io/system_entropy.h"

using namespace godwit;
using namespace godwit::io;

TEST_CASE("the system's clocks move forward and know the year") {
  const SystemClock clock;
  const Timestamp before = clock.now();
  REQUIRE(clock.now() >= before);
  constexpr int64_t kYear2024 = 1'704'067'200'000'000;
  REQUIRE(clock.unix_us() > kYear2024);
}

TEST_CASE("entropy fills every byte and never twice the same") {
  SystemEntropy entropy;
  std::array<uint8_t, 1000> first{}, second{};
  entropy.fill(first);
  entropy.fill(second);
  REQUIRE(first != second);
  REQUIRE(std::count(first.begin(), first.end(), 0) < 30);
  entropy.fill({});
}

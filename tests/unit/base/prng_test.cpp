#include "base/prng.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

using namespace godwit;

TEST_CASE("the same seed gives the same sequence, another seed another") {
  Prng a(42), b(42), c(43);
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a();
    REQUIRE(value == b());
    REQUIRE(value != c());
  }
}

TEST_CASE("numbers below a limit reach all of its values and none beyond") {
  Prng prng(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(prng.below(7));
  REQUIRE(seen == std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6});
  REQUIRE(prng.below(0) == 0);
  REQUIRE(prng.below(1) == 0);
}

TEST_CASE("numbers between two bounds include both") {
  Prng prng(2);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(prng.between(5, 7));
  REQUIRE(seen == std::set<uint64_t>{5, 6, 7});
  REQUIRE(prng.between(9, 9) == 9);
  REQUIRE(prng.between(0, Prng::max()) != prng.between(0, Prng::max()));
}

TEST_CASE("a chance of 30 percent comes true in 30 percent of the draws") {
  Prng prng(3);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += prng.chance(0.3);
  REQUIRE(std::abs(hits - 30'000) < 600);  // four standard deviations
  for (int i = 0; i < 100; ++i) {
    REQUIRE_FALSE(prng.chance(0));
    REQUIRE(prng.chance(1));
  }
}

TEST_CASE("filled bytes use all values") {
  Prng prng(4);
  std::array<uint8_t, 8192> bytes{};
  prng.fill(bytes);
  REQUIRE(std::set<uint8_t>(bytes.begin(), bytes.end()).size() == 256);
}

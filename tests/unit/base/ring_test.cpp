#include "base/ring.h"

#include <catch2/catch.hpp>
#include <memory>

using namespace godwit;

TEST_CASE("a ring gives values back in the order in which they came") {
  Ring<int> ring(100);
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7 && !ring.full(); ++i) REQUIRE(ring.push(next_in++));
    for (int i = 0; i < 5; ++i) REQUIRE(ring.pop() == next_out++);
  }
  REQUIRE(ring.size() == static_cast<size_t>(next_in - next_out));
  REQUIRE(ring[1] == next_out + 1);
}

TEST_CASE("a full ring refuses and keeps what it has") {
  Ring<std::unique_ptr<int>> ring(3);
  for (int i = 0; i < 3; ++i) {
    REQUIRE_FALSE(ring.full());
    REQUIRE(ring.push(std::make_unique<int>(i)));
  }
  auto refused = std::make_unique<int>(3);
  REQUIRE_FALSE(ring.push(std::move(refused)));
  REQUIRE(refused);  // NOLINT(bugprone-use-after-move): a refused value stays with the caller

  REQUIRE(*ring.pop() == 0);
  REQUIRE(ring.push(std::move(refused)));
  REQUIRE(*ring[2] == 3);
}

TEST_CASE("a popped or cleared value is gone from the ring at once") {
  Ring<std::shared_ptr<int>> ring(4);
  const auto value = std::make_shared<int>(1);
  REQUIRE(ring.push(value));
  REQUIRE(ring.push(value));
  REQUIRE(value.use_count() == 3);
  ring.pop();
  REQUIRE(value.use_count() == 2);
  ring.clear();
  REQUIRE(value.use_count() == 1);
  REQUIRE(ring.empty());
}

TEST_CASE("a ring with bound zero takes nothing") {
  Ring<int> ring(0);
  REQUIRE(ring.full());
  REQUIRE_FALSE(ring.push(1));
}

#include "app/attribute_table.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "virtual_time.h"

using namespace godwit;
using app::AttributeTable;
using host::Value;

namespace {

struct Fixture {
  testing::VirtualClock clock;
  AttributeTable table{clock};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an attribute is there from set to removal, and gone with its session") {
  table.enter(1);
  CHECK_FALSE(table.get(1, "name"));
  REQUIRE(table.set(1, "name", Value("ada"), {}));
  CHECK(table.get(1, "name") == Value("ada"));
  REQUIRE(table.set(1, "level", Value(3.0), {}));
  REQUIRE(table.set(1, "name", std::nullopt, {}));
  CHECK_FALSE(table.get(1, "name"));
  CHECK(table.get(1, "level") == Value(3.0));
  table.leave(1);
  CHECK_FALSE(table.get(1, "level"));
  CHECK(table.set(1, "level", Value(4.0), {}).error().code == Code::kStaleHandle);
}

TEST_CASE_METHOD(Fixture, "an attribute with a ttl is there until it has passed, and not after") {
  table.enter(1);
  REQUIRE(table.set(1, "typing", Value(true), 3s));
  clock.move_to(clock.now() + 3s - 1ns);
  CHECK(table.get(1, "typing"));
  clock.move_to(clock.now() + 1ns);
  CHECK_FALSE(table.get(1, "typing"));
}

TEST_CASE_METHOD(Fixture, "compare-and-set changes what is as expected, and nothing else") {
  table.enter(1);
  CHECK(*table.compare_and_set(1, "turn", std::nullopt, Value("white")));
  CHECK_FALSE(*table.compare_and_set(1, "turn", std::nullopt, Value("black")));
  CHECK_FALSE(*table.compare_and_set(1, "turn", Value("black"), Value("red")));
  CHECK(table.get(1, "turn") == Value("white"));
  CHECK(*table.compare_and_set(1, "turn", Value("white"), std::nullopt));
  CHECK_FALSE(table.get(1, "turn"));
  CHECK(table.compare_and_set(2, "turn", std::nullopt, Value("white")).error().code == Code::kStaleHandle);
}

TEST_CASE_METHOD(Fixture, "the 65th attribute is refused, unless one of the 64 has expired") {
  table.enter(1);
  for (int i = 0; i < 63; ++i) REQUIRE(table.set(1, std::to_string(i), Value(1.0), {}));
  REQUIRE(table.set(1, "short", Value(1.0), 1s));
  CHECK(table.set(1, "more", Value(1.0), {}).error().code == Code::kStoreFull);
  CHECK(table.set(1, "0", Value(2.0), {}));
  clock.move_to(clock.now() + 1s);
  CHECK(table.set(1, "more", Value(1.0), {}));
}

TEST_CASE_METHOD(Fixture, "names and values beyond their bounds are refused") {
  table.enter(1);
  CHECK(table.set(1, std::string(256, 'n'), Value(std::string(16 * 1024, 'v')), {}));
  CHECK(table.set(1, std::string(257, 'n'), Value(1.0), {}).error().code == Code::kMessageTooLarge);
  CHECK(table.set(1, "", Value(1.0), {}).error().code == Code::kMessageTooLarge);
  CHECK(table.set(1, "v", Value(std::string(16 * 1024 + 1, 'v')), {}).error().code == Code::kMessageTooLarge);
}

TEST_CASE_METHOD(Fixture, "of threads that compare-and-set the same attribute, one at a time wins") {
  table.enter(1);
  REQUIRE(table.set(1, "n", Value(0.0), {}));
  const auto count_up = [&] {
    for (int done = 0; done < 5000;) {
      const auto before = table.get(1, "n");
      if (*table.compare_and_set(1, "n", before, Value(std::get<double>(*before) + 1))) ++done;
    }
  };
  std::thread other(count_up);
  count_up();
  other.join();
  CHECK(table.get(1, "n") == Value(10'000.0));
}

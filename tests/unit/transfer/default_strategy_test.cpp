#include "transfer/default_strategy.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::transfer;

namespace {

Plan plan_for(uint64_t bytes, Network network = {}) { return default_plan({{bytes, bytes}, network}); }

}  // namespace

TEST_CASE("one byte decides between two classes, at each border") {
  for (size_t i = 1; i < kSizeClasses; ++i) {
    const uint64_t border = kClassBegins[i];
    CHECK(index_of(plan_for(border - 1).size_class) == i - 1);
    CHECK(index_of(plan_for(border).size_class) == i);
    CHECK(index_of(plan_for(border + 1).size_class) == i);
  }
  CHECK(plan_for(0).size_class == SizeClass::kTiny);
  CHECK(plan_for(kBytesMax).size_class == SizeClass::kHuge);
}

TEST_CASE("small bodies share a lane, others have a stream of their own") {
  CHECK(plan_for((64 << 10) - 1).lane == Lane::kShared);
  CHECK(plan_for(64 << 10).lane == Lane::kOwn);
}

TEST_CASE("every default plan makes sense, on every path") {
  for (size_t i = 0; i < kSizeClasses; ++i) {
    const SizeRange sizes{kClassBegins[i], i + 1 < kSizeClasses ? kClassBegins[i + 1] - 1 : kBytesMax};
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      const Status sensible = check(default_plan({sizes, representative(bucket)}), sizes);
      INFO((sensible ? std::string() : sensible.error().text));
      CHECK(sensible);
    }
  }
}

TEST_CASE("a slow path gets more time, and one that loses much smaller pieces on one stream") {
  const Plan good = plan_for(10 << 20, {5ms, 0});
  const Plan slow = plan_for(10 << 20, {500ms, 0});
  const Plan bad = plan_for(10 << 20, {5ms, 0.05});
  CHECK(slow.timeout == good.timeout + 4 * 495ms);
  CHECK(slow.chunk_bytes == good.chunk_bytes);
  CHECK(bad.chunk_bytes == good.chunk_bytes / 2);
  CHECK(good.streams > 1);
  CHECK(bad.streams == 1);
}

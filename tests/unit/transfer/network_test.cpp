#include "transfer/network.h"

#include <catch2/catch.hpp>
#include <set>

using namespace godwit;
using namespace godwit::transfer;

TEST_CASE("what stands for a bucket lies in it") {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) CHECK(bucket_of(representative(bucket)) == bucket);
}

TEST_CASE("paths are told apart by their round trip and their loss") {
  CHECK(bucket_of({0ms, 0}) != bucket_of({5ms, 0}));
  CHECK(bucket_of({19ms, 0}) == bucket_of({1ms, 0}));
  CHECK(bucket_of({20ms, 0}) != bucket_of({19ms, 0}));
  CHECK(bucket_of({5ms, 0.019}) != bucket_of({5ms, 0.02}));
  CHECK(bucket_of({5ms, 0.0049}) == bucket_of({5ms, 0}));
}

TEST_CASE("the worst path there can be has a bucket") { CHECK(bucket_of({Duration::max(), 1}) == kBuckets - 1); }

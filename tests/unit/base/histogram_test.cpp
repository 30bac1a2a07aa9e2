#include "base/histogram.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace godwit;

namespace {

double relative_error(Duration seen, Duration truth) {
  return std::abs(static_cast<double>((seen - truth).count())) / static_cast<double>(truth.count());
}

}  // namespace

TEST_CASE("a latency between 10 us and 60 s is reported within five percent") {
  for (double ns = 10'000; ns <= 60e9; ns *= 1.007) {
    Histogram histogram;
    const Duration value(static_cast<Duration::rep>(ns));
    histogram.record(value);
    CAPTURE(value.count());
    REQUIRE(relative_error(histogram.snapshot().quantile(0.5), value) <= 0.05);
  }
}

TEST_CASE("buckets follow each other without gap or overlap") {
  using namespace histogram_buckets;
  for (size_t i = 0; i < kCount; ++i) {
    CAPTURE(i);
    REQUIRE(lower_bound_of(i) < lower_bound_of(i + 1));
    REQUIRE(index_of(lower_bound_of(i)) == i);
    REQUIRE(index_of(lower_bound_of(i + 1) - 1ns) == i);
  }
}

TEST_CASE("quantiles separate the many from the few") {
  Histogram histogram;
  REQUIRE(histogram.snapshot().quantile(0.99) == Duration::zero());

  histogram.record(1ms, 985);
  for (int i = 0; i < 15; ++i) histogram.record(5s);
  const HistogramSnapshot seen = histogram.snapshot();
  REQUIRE(relative_error(seen.quantile(0.5), 1ms) <= 0.05);
  REQUIRE(relative_error(seen.quantile(0.98), 1ms) <= 0.05);
  REQUIRE(relative_error(seen.quantile(0.99), 5s) <= 0.05);
  REQUIRE(relative_error(seen.quantile(1), 5s) <= 0.05);
}

TEST_CASE("what lies outside the range is counted at its ends") {
  Histogram histogram;
  histogram.record(-5ms);
  histogram.record(1h);
  const HistogramSnapshot seen = histogram.snapshot();
  REQUIRE(seen.count() == 2);
  REQUIRE(seen.sum() == 1h);
  REQUIRE(seen.quantile(0) < 1us);
  REQUIRE(seen.quantile(1) > 120s);
}

TEST_CASE("snapshots of two workers merge into one") {
  Histogram one, other;
  one.record(1ms, 10);
  other.record(100ms, 30);
  HistogramSnapshot all = one.snapshot();
  REQUIRE(all.count() == 10);
  all.merge(other.snapshot());
  REQUIRE(all.count() == 40);
  REQUIRE(all.sum() == 3010ms);
  REQUIRE(relative_error(all.quantile(0.5), 100ms) <= 0.05);
}

TEST_CASE("cumulative counts rise with the bound and end at the total") {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.record(i * 1ms);
  const HistogramSnapshot seen = histogram.snapshot();
  REQUIRE(seen.count_at_most(500us) == 0);
  REQUIRE(std::abs(static_cast<double>(seen.count_at_most(250ms)) - 250) <= 13);
  REQUIRE(seen.count_at_most(30s) == 1000);
  REQUIRE(seen.count_at_most(10h) == 1000);
  REQUIRE(seen.count_at_most(-1s) == 0);

  uint64_t previous = 0;
  for (Duration bound = 100us; bound < 2s; bound += 333us) {
    REQUIRE(seen.count_at_most(bound) >= previous);
    previous = seen.count_at_most(bound);
  }
}

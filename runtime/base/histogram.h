#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/metrics.h"
#include "base/time.h"

namespace godwit {

/// Buckets of durations: 16 equal steps per doubling. A value is reported as the middle of its bucket, so it is off by
/// at most 1/32 (3.2 %) from 1 µs up, and by at most 32 ns below. Durations beyond 137 s are counted as 137 s, negative
/// ones as 0.
namespace histogram_buckets {

inline constexpr unsigned kUnitBits = 6;  ///< resolution at the low end: 64 ns
inline constexpr unsigned kStepBits = 4;
inline constexpr uint64_t kSteps = 1 << kStepBits;
inline constexpr unsigned kValueBits = 31;  ///< largest value: 2^31 units = 137 s
inline constexpr size_t kCount = kSteps * (kValueBits - kStepBits + 1);

constexpr size_t index_of(Duration value) {
  const uint64_t ns = value.count() < 0 ? 0 : static_cast<uint64_t>(value.count());
  const uint64_t units = ns >> kUnitBits;
  if (units < kSteps) return units;
  if (units >> kValueBits) return kCount - 1;
  const unsigned shift = static_cast<unsigned>(std::bit_width(units)) - 1 - kStepBits;
  return shift * kSteps + (units >> shift);
}

/// Smallest duration of a bucket; of bucket kCount: the end of the last.
constexpr Duration lower_bound_of(size_t index) {
  if (index < 2 * kSteps) return Duration(index << kUnitBits);
  const uint64_t shift = index / kSteps - 1;
  return Duration((kSteps + index % kSteps) << shift << kUnitBits);
}

}  // namespace histogram_buckets

/// What a histogram held at one moment; snapshots of several workers merge.
class HistogramSnapshot {
 public:
  void merge(const HistogramSnapshot& other);

  uint64_t count() const { return count_; }
  Duration sum() const { return sum_; }

  /// The duration that a share `q` (0 … 1) of all records does not exceed; 0 when nothing was recorded.
  Duration quantile(double q) const;

  /// How many records are <= bound, for cumulative exports; a bucket that straddles the bound counts in proportion.
  /// Never falls as the bound rises.
  uint64_t count_at_most(Duration bound) const;

 private:
  friend class Histogram;
  std::array<uint64_t, histogram_buckets::kCount> buckets_{};
  uint64_t count_ = 0;
  Duration sum_{};
};

/// Latencies of one worker. Like Counter: one writer, any number of readers, no lock; recording is two plain additions.
/// 3.5 KiB each.
class Histogram {
 public:
  void record(Duration value, uint64_t times = 1) {
    const Duration counted = value < Duration::zero() ? Duration::zero() : value;
    buckets_[histogram_buckets::index_of(counted)].add(times);
    sum_ns_.add(static_cast<uint64_t>(counted.count()) * times);
  }

  /// Safe from any thread. Records made meanwhile may be in or not; count() always equals the sum of the buckets seen.
  HistogramSnapshot snapshot() const;

 private:
  std::array<Counter, histogram_buckets::kCount> buckets_;
  Counter sum_ns_;
};

}  // namespace godwit

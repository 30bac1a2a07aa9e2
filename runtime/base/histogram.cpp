#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace godwit {

using histogram_buckets::index_of;
using histogram_buckets::kCount;
using histogram_buckets::lower_bound_of;

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot out;
  for (size_t i = 0; i < kCount; ++i) {
    out.buckets_[i] = buckets_[i].value();
    out.count_ += out.buckets_[i];
  }
  out.sum_ = Duration(static_cast<Duration::rep>(sum_ns_.value()));
  return out;
}

void HistogramSnapshot::merge(const HistogramSnapshot& other) {
  for (size_t i = 0; i < kCount; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

Duration HistogramSnapshot::quantile(double q) const {
  if (count_ == 0) return Duration::zero();
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  size_t index = 0;
  while (index + 1 < kCount && (seen += buckets_[index]) < rank) ++index;
  return (lower_bound_of(index) + lower_bound_of(index + 1)) / 2;
}

uint64_t HistogramSnapshot::count_at_most(Duration bound) const {
  if (bound < Duration::zero()) return 0;
  if (bound >= lower_bound_of(kCount)) return count_;
  const size_t last = index_of(bound);
  uint64_t below = 0;
  for (size_t i = 0; i < last; ++i) below += buckets_[i];
  const auto width = static_cast<double>((lower_bound_of(last + 1) - lower_bound_of(last)).count());
  const auto part = static_cast<double>((bound - lower_bound_of(last)).count()) / width;
  return below + static_cast<uint64_t>(part * static_cast<double>(buckets_[last]));
}

}  // namespace godwit

#pragma once

#include <cstddef>

#include "base/time.h"

namespace godwit::transfer {

/// What is known of a path.
struct Network {
  Duration rtt{};   ///< smoothed; 0: not known yet
  double loss = 0;  ///< share of packets lost of late, 0 to 1
};

/// Paths that are alike: an index below kBuckets. Steps of four and more, so that noise does not change how messages
/// travel.
inline constexpr size_t kRttSteps = 5;   ///< not known, and up to 20 ms, 100 ms, 400 ms, beyond
inline constexpr size_t kLossSteps = 4;  ///< up to 0.5 %, 2 %, 10 %, beyond
inline constexpr size_t kBuckets = kRttSteps * kLossSteps;

size_t bucket_of(const Network& network);

/// A path that stands for all of its bucket.
Network representative(size_t bucket);

}  // namespace godwit::transfer

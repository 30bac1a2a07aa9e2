#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/time.h"
#include "port/entropy.h"

namespace godwit::client {

/// How long to wait before the next try: each time twice as long, up to a bound, and each client a little differently,
/// so that those who lost a server together do not come back together.
class Backoff {
 public:
  struct Policy {
    Duration first = 1s;
    Duration max = 60s;
    double jitter = 0.2;  ///< a delay is this share shorter or longer
  };
  Backoff(const Policy& policy, Entropy& entropy) : policy_(policy), entropy_(entropy), delay_(policy.first) {}

  /// It worked: the next delay is the first again.
  void reset() { delay_ = policy_.first; }

  Duration next() {
    std::array<uint8_t, 4> bytes;
    entropy_.fill(bytes);
    const uint32_t drawn = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | uint32_t{bytes[3]} << 24;
    const double share = 1 + policy_.jitter * (2.0 * drawn / UINT32_MAX - 1);
    const Duration delay = std::exchange(delay_, std::min(delay_ * 2, policy_.max));
    return std::chrono::duration_cast<Duration>(delay * share);
  }

 private:
  const Policy policy_;
  Entropy& entropy_;
  Duration delay_;
};

}  // namespace godwit::client

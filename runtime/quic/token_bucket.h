#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace godwit::quic {

/// Allows `per_s` things a second on average, and as many at once after a quiet second.
class TokenBucket {
 public:
  explicit TokenBucket(uint64_t per_s) : per_s_(static_cast<double>(per_s)), tokens_(per_s_) {}

  bool take(Timestamp now) {
    if (now > last_) {
      tokens_ = std::min(per_s_, tokens_ + per_s_ * std::chrono::duration<double>(now - last_).count());
      last_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_s_;
  double tokens_;
  Timestamp last_{};
};

}  // namespace godwit::quic

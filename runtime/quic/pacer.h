#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace godwit::quic {

/// Spreads a congestion window over the round trip (RFC 9002, section 7.7). Credit grows with time at the pacing rate;
/// a loop whose timers are coarse therefore catches up with a larger burst instead of losing rate, as ngtcp2's own
/// pacing, which counts from the last packet, would.
class Pacer {
 public:
  /// Also the initial window, which may go at once.
  static constexpr double kBurstBytesMin = 64 * 1024;
  /// A burst may hold what the rate allows in this time: more than the granularity of a loop's timers.
  static constexpr Duration kBurstTime = 2ms;
  /// Below it timers cannot resolve the spacing, and packets leave in bursts of one send call anyway.
  static constexpr Duration kRttMin = 2ms;

  void set_rate(double bytes_per_ns, Duration smoothed_rtt) { rate_ = smoothed_rtt < kRttMin ? 0 : bytes_per_ns; }

  void advance(Timestamp now) {
    if (rate_ > 0) credit_ = std::min(burst(), credit_ + rate_ * static_cast<double>((now - last_).count()));
    last_ = now;
  }

  bool open() const { return rate_ <= 0 || credit_ > 0; }
  void spend(size_t bytes) {
    if (rate_ > 0) credit_ -= static_cast<double>(bytes);
  }

  /// When a closed pacer opens again.
  Timestamp opens_at() const {
    if (open()) return last_;
    return last_ + Duration(static_cast<Duration::rep>(-credit_ / rate_) + 1);
  }

 private:
  double burst() const { return std::max(kBurstBytesMin, rate_ * static_cast<double>(Duration(kBurstTime).count())); }

  double rate_ = 0;  // bytes per nanosecond; 0 = not paced
  double credit_ = kBurstBytesMin;
  Timestamp last_{};
};

}  // namespace godwit::quic

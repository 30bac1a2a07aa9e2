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
  /// RFC 9002's initial window: what any path takes at once. At higher rates a millisecond's worth, up to one full
  /// send.
  static constexpr double kQuantumBytesMin = 12 * 1024;
  /// A burst may hold what the rate allows in this time: more than the granularity of a loop's timers.
  static constexpr Duration kBurstTime = 2ms;
  /// Below it timers cannot resolve the spacing, and packets leave in bursts of one send call anyway.
  static constexpr Duration kRttMin = 2ms;

  void set_rate(double bytes_per_ns, Duration smoothed_rtt) { rate_ = smoothed_rtt < kRttMin ? 0 : bytes_per_ns; }

  void advance(Timestamp now) {
    if (rate_ > 0) credit_ = std::min(burst(), credit_ + rate_ * static_cast<double>((now - last_).count()));
    last_ = now;
    open_ = open_ || credit_ >= quantum();
  }

  bool open() const { return rate_ <= 0 || open_; }
  void spend(size_t bytes) {
    if (rate_ <= 0) return;
    credit_ -= static_cast<double>(bytes);
    open_ = credit_ > 0;
  }

  /// When a closed pacer opens again: once there is credit for several packets, so that they leave in one send.
  Timestamp opens_at() const {
    if (open()) return last_;
    return last_ + Duration(static_cast<Duration::rep>((quantum() - credit_) / rate_) + 1);
  }

 private:
  double quantum() const { return std::min(kBurstBytesMin, std::max(kQuantumBytesMin, rate_ * 1e6)); }
  double burst() const { return std::max(kBurstBytesMin, rate_ * static_cast<double>(Duration(kBurstTime).count())); }

  double rate_ = 0;  // bytes per nanosecond; 0 = not paced
  double credit_ = kBurstBytesMin;
  bool open_ = true;
  Timestamp last_{};
};

}  // namespace godwit::quic

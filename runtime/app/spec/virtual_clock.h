#pragma once

#include "port/clock.h"

namespace godwit::app {

/// The time of one case of a spec: it stands still but when it is moved on. Every case begins at the same moment, so
/// that what depends on the date is the same in every run.
class VirtualClock final : public Clock {
 public:
  static constexpr int64_t kStartUnixUs = 1'735'689'600'000'000;  ///< 2025-01-01 00:00:00 UTC, a Wednesday

  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return kStartUnixUs + (now_ - kStart) / 1us; }

  /// Never back.
  void move_to(Timestamp time) { now_ = std::max(now_, time); }

 private:
  static constexpr Timestamp kStart = from_ns(1'000'000'000'000);
  Timestamp now_ = kStart;
};

}  // namespace godwit::app

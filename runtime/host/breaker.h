#pragma once

#include <cstdint>

#include "base/time.h"

namespace godwit::host {

/// Keeps a handler that mostly fails from being called for a while. Closed → open after so many failures within a
/// window, when they are at least half of what was handled in it → half-open after a rest: one call is let through, and
/// decides.
class Breaker {
 public:
  static constexpr uint32_t kFailuresMax = 20;  ///< within kWindow
  static constexpr Duration kWindow = 10s;
  static constexpr Duration kRest = 5s;

  bool open() const { return open_; }
  /// May the handler be called? While it rests, no; then one call is, and the next only once that one has ended.
  bool admit(Timestamp now) {
    if (!open()) return true;
    if (now < rests_until_) return false;
    rests_until_ = now + kRest;
    return true;
  }
  /// `handled`: how many messages there were in all, up to now. True when this failure opened it.
  bool failed(Timestamp now, uint64_t handled) {
    if (open_) {
      rests_until_ = now + kRest;
      return false;
    }
    if (failures_ == 0 || now - since_ > kWindow) {
      since_ = now;
      handled_before_ = handled;
      failures_ = 0;
    }
    ++failures_;
    if (failures_ < kFailuresMax || 2 * uint64_t{failures_} < handled - handled_before_) return false;
    open_ = true;
    rests_until_ = now + kRest;
    return true;
  }
  void succeeded() {
    open_ = false;
    failures_ = 0;
  }

 private:
  bool open_ = false;
  uint32_t failures_ = 0;
  uint64_t handled_before_ = 0;
  Timestamp since_{};
  Timestamp rests_until_{};
};

}  // namespace godwit::host

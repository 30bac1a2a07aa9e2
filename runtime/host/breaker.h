#pragma once

#include <cstdint>

#include "base/time.h"

namespace godwit::host {

/// Keeps a handler that mostly fails from being called for a while. Closed → open after so many failures within a
/// window, when they are at least half of what was handled in it, or after so many that had to be ended by a limit,
/// however much went well beside them, because each of those has held up its worker → half-open after a rest: one call
/// is let through, and decides.
class Breaker {
 public:
  static constexpr uint32_t kFailuresMax = 20;  ///< within kWindow
  static constexpr Duration kWindow = 10s;
  static constexpr Duration kRest = 5s;
  static constexpr uint32_t kOverrunsMax = 10;  ///< within kOverrunWindow
  static constexpr Duration kOverrunWindow = 60s;
  static constexpr Duration kOverrunRest = 60s;

  enum class Failure : uint8_t {
    kError,
    kOverrun,  ///< of time or memory
  };

  bool open() const { return open_; }
  /// May the handler be called? While it rests, no; then one call is, and the next only once that one has ended.
  bool admit(Timestamp now) {
    if (!open()) return true;
    if (now < rests_until_) return false;
    rests_until_ = now + rest_;
    return true;
  }
  /// `handled`: how many messages there were in all, up to now. True when this failure opened it.
  bool failed(Timestamp now, uint64_t handled, Failure failure = Failure::kError) {
    if (open_) {
      rests_until_ = now + rest_;
      return false;
    }
    if (failure == Failure::kOverrun && overran(now)) return opened(now, kOverrunRest);
    if (failures_ == 0 || now - since_ > kWindow) {
      since_ = now;
      handled_before_ = handled;
      failures_ = 0;
    }
    ++failures_;
    if (failures_ < kFailuresMax || 2 * uint64_t{failures_} < handled - handled_before_) return false;
    return opened(now, kRest);
  }
  void succeeded() {
    open_ = false;
    failures_ = overruns_ = 0;
  }

 private:
  /// True when there were too many.
  bool overran(Timestamp now) {
    if (overruns_ == 0 || now - overrun_since_ > kOverrunWindow) {
      overrun_since_ = now;
      overruns_ = 0;
    }
    return ++overruns_ >= kOverrunsMax;
  }
  bool opened(Timestamp now, Duration rest) {
    open_ = true;
    rest_ = rest;
    rests_until_ = now + rest;
    return true;
  }

  bool open_ = false;
  uint32_t failures_ = 0;
  uint64_t handled_before_ = 0;
  Timestamp since_{};
  uint32_t overruns_ = 0;
  Timestamp overrun_since_{};
  Duration rest_ = kRest;  ///< as what opened it has it
  Timestamp rests_until_{};
};

}  // namespace godwit::host

#pragma once

#include "base/timer_heap.h"
#include "port/clock.h"

namespace godwit::testing {

/// A clock that stands still until somebody moves it. Starts one second after the epoch of the time line, at a wall
/// time in 2026.
class VirtualClock : public Clock {
 public:
  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return kUnixStartUs + (now_ - kStart) / 1us; }

  void move_to(Timestamp at) { now_ = at; }

  static constexpr Timestamp kStart = from_ns(1'000'000'000);

 private:
  static constexpr int64_t kUnixStartUs = 1'780'000'000'000'000;
  Timestamp now_ = kStart;
};

/// A clock with its timers: moving on fires what becomes due, each at its very deadline.
class VirtualTime {
 public:
  void advance(Duration by) {
    const Timestamp end = clock.now() + by;
    while (timers.next() <= end) {
      clock.move_to(std::max(clock.now(), timers.next()));
      timers.run(clock.now());
    }
    clock.move_to(end);
  }

  VirtualClock clock;
  TimerHeap timers;
};

}  // namespace godwit::testing

#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/time.h"

namespace godwit {

class TimerHeap;

/// One deadline, owned by whoever waits for it; destroying it disarms it. The callback may arm, disarm or destroy any
/// timer, its own included.
class Timer {
 public:
  explicit Timer(std::function<void(Timestamp now)> on_fire) : on_fire_(std::move(on_fire)) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return heap_ != nullptr; }
  Timestamp deadline() const { return deadline_; }

 private:
  friend class TimerHeap;
  void fire(Timestamp now);

  std::function<void(Timestamp)> on_fire_;
  TimerHeap* heap_ = nullptr;  // null: not armed
  bool due_ = false;           // taken out of the heap by the run in progress, waits for its turn
  size_t index_ = 0;           // in heap_->heap_, or in heap_->firing_ when due
  bool* destroyed_ = nullptr;  // while the callback runs: tells `fire` that the callback destroyed this timer
  Timestamp deadline_ = kNever;
};

/// All deadlines of one worker in one indexed 4-ary heap: arming again moves, it does not add. Driven by `run`; it
/// reads no clock. The loop (or the simulator) asks `next` how long it may sleep.
class TimerHeap {
 public:
  TimerHeap() = default;
  ~TimerHeap();
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  /// Arms or moves. kNever disarms.
  void arm(Timer& timer, Timestamp deadline);
  void disarm(Timer& timer);

  /// The earliest deadline, kNever if there is none.
  Timestamp next() const;

  /// Fires what is due at `now`, earliest first; timers armed for <= now by a callback fire in the next call, so one
  /// call is bounded by what was armed before it. Returns how many fired. Not to be called from a callback.
  size_t run(Timestamp now);

  size_t size() const { return heap_.size(); }

 private:
  void take_due(Timestamp now);
  void remove(size_t index);
  void sift_up(size_t index);
  void sift_down(size_t index);
  void place(size_t index, Timer* timer);

  std::vector<Timer*> heap_;
  std::vector<Timer*> firing_;  // what the run in progress fires; a slot is null once it fired or was disarmed
};

}  // namespace godwit

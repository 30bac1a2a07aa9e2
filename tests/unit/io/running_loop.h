#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>

#include "io/loop.h"

namespace godwit::io {

/// A real loop for one test, which is run until something is true, at most five seconds.
class RunningLoop {
 public:
  explicit RunningLoop(LoopOptions options = {}) : loop_(Loop::create(options, metrics_).value()) {}

  Loop& operator*() { return *loop_; }
  Loop* operator->() { return loop_.get(); }
  const WorkerMetrics& metrics() const { return metrics_; }

  /// True when `done` became true; it is asked at the end of each turn.
  bool until(const std::function<bool()>& done) {
    bool timed_out = false;
    Timer limit([&](Timestamp) {
      timed_out = true;
      loop_->stop();
    });
    loop_->timers().arm(limit, loop_->now() + 5s);
    const TurnHook check(*loop_, [&] {
      if (done()) loop_->stop();
    });
    loop_->run();
    return !timed_out;
  }

  /// Runs for this long: for showing that something does not happen.
  void for_a_while(Duration time) {
    bool over = false;
    Timer timer([&](Timestamp) { over = true; });
    loop_->timers().arm(timer, loop_->now() + time);
    REQUIRE(until([&] { return over; }));
  }

 private:
  WorkerMetrics metrics_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace godwit::io

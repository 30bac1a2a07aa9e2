#pragma once

#include <map>

#include "app/commands/bench_options.h"
#include "base/histogram.h"

namespace godwit::app {

/// What a benchmark counted. Everything that is not a right answer in time is a failure, under its code.
class BenchTally {
 public:
  void sent() { ++sent_; }
  void succeed(Duration latency) {
    ++ok_;
    latency_.record(latency);
    latency_max_ = std::max(latency_max_, latency);
  }
  void fail(Code code) {
    ++failed_;
    ++errors_[code];
  }
  /// For attempts that never came to sending: they count as sent and failed.
  void fail_unsent(Code code, uint64_t times = 1);
  /// What looked well so far turned out bad.
  void revoke(Code code) {
    --ok_;
    fail(code);
  }
  void set_elapsed(Duration elapsed) { elapsed_ = elapsed; }

  uint64_t ok() const { return ok_; }
  uint64_t failed() const { return failed_; }

  /// One object on stdout, for machines.
  void print_json(const BenchOptions& options) const;
  /// A short table on stdout.
  void print(const BenchOptions& options) const;

 private:
  double seconds() const { return std::chrono::duration<double>(elapsed_).count(); }
  double rate() const { return elapsed_ > Duration::zero() ? static_cast<double>(ok_) / seconds() : 0; }
  double bytes_rate(const BenchOptions& options) const;

  uint64_t sent_ = 0;
  uint64_t ok_ = 0;
  uint64_t failed_ = 0;
  Histogram latency_;
  Duration latency_max_{};
  Duration elapsed_{};
  std::map<Code, uint64_t> errors_;
};

}  // namespace godwit::app

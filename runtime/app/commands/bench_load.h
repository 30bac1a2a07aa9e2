#pragma once

#include <memory>

#include "app/commands/bench_tally.h"
#include "io/signal_watcher.h"

namespace godwit::app {

/// One benchmark from looking the server up to the last answer. Each pattern is a class that says what to do once the
/// address is known, and calls `finish` when it is done.
class BenchLoad : protected client::ClientLoop::Owner {
 public:
  BenchLoad(const BenchOptions& options, BenchTally& tally) : options_(options), tally_(tally) {}

  /// An error when it could not even begin; what fails later is in the tally.
  Status run(Log log);

 protected:
  /// The server's addresses are known: connect.
  virtual void begin() = 0;
  /// Ctrl-C: no more is begun. The second one does not wait for what is in flight.
  virtual void interrupt() { finish(); }

  /// `client`: which one it is, of all that this command plays; `resume`: a session of it that was kept.
  client::DialId dial(uint64_t cookie, uint64_t client, session::SessionId resume = {});
  /// The time from here to `finish` is what rates are counted over.
  void start_clock() { started_ = now(); }
  void finish();
  void finish(Error why);
  bool finished() const { return finished_; }

  client::ClientLoop& loop() { return *loop_; }
  TimerHeap& timers() { return loop_->loop().timers(); }
  Timestamp now() const { return loop_->loop().measure(); }
  Timestamp started() const { return started_; }
  /// When no more is begun; kNever without a duration.
  Timestamp end_time() const { return options_.duration ? started_ + *options_.duration : kNever; }

  const BenchOptions& options_;
  BenchTally& tally_;

 private:
  Status start(Log log);

  std::unique_ptr<client::ClientLoop> loop_;
  std::unique_ptr<io::SignalWatcher> signals_;
  client::Remote remote_;
  Timestamp started_{};
  bool finished_ = false;
  Status status_;
};

}  // namespace godwit::app

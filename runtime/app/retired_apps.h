#pragma once

#include <memory>
#include <vector>

#include "base/log.h"
#include "host/app.h"

namespace godwit::app {

/// Generations that were replaced. What waits inside of them goes on to its end, at most until a deadline; then it is
/// told (ScriptRetired, which senders may retry), and the generation is destroyed once nothing of it is left. One that
/// does not let go stays, and the log says so: memory is worth less than a crash.
class RetiredApps {
 public:
  explicit RetiredApps(Log log) : log_(log) {}

  /// `unit`: the number that it served under.
  void add(uint32_t unit, std::unique_ptr<host::App> app, Timestamp deadline);

  /// Goes on with what can go on. True when something is left for the next turn.
  bool run_ready(host::ReplySink& sink, Timestamp now);

  /// See Handler::withdraw.
  void withdraw(uint32_t unit, host::Ticket ticket, host::ReplySink& sink);

  struct Ended {
    uint32_t unit;
    host::AppStats stats;
  };
  /// Destroys those that nothing keeps; outside any handler.
  std::vector<Ended> reap();

  /// What the generations of a unit that are still here have done.
  host::AppStats stats_of(uint32_t unit) const;
  size_t size() const { return apps_.size(); }

 private:
  struct Retired {
    uint32_t unit;
    std::unique_ptr<host::App> app;
    Timestamp deadline;
    bool cancelled = false;
  };

  Log log_;
  std::vector<Retired> apps_;
};

}  // namespace godwit::app

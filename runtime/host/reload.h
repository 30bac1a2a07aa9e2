#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/unit_source.h"

namespace godwit::host {

/// What one worker is asked to build beside the generation it runs.
struct ReloadPlan {
  uint64_t id = 0;  ///< names the attempt in answers
  UnitSourcePtr source;
  uint32_t generation = 0;
};

/// The way to the workers. An implementation posts to their threads; answers come back as calls of Reloads, later or at
/// once.
class ReloadWorkers {
 public:
  virtual ~ReloadWorkers() = default;
  /// Build, change nothing; answer `on_prepared`.
  virtual void prepare(uint32_t worker, const ReloadPlan& plan) = 0;
  /// What was prepared is live from the next message on; answer `on_committed`.
  virtual void commit(uint32_t worker, uint64_t plan) = 0;
  /// Drop what was or still will be prepared; no answer.
  virtual void abort(uint32_t worker, uint64_t plan) = 0;
};

struct ReloadOutcome {
  enum class What : uint8_t {
    kLive,       ///< on all workers
    kUnchanged,  ///< these contents are live already
    kRefused,    ///< nothing changed anywhere; `error` has file and line
  };
  What what = What::kUnchanged;
  std::string unit;
  uint32_t generation = 0;  ///< the live one, 0 if none
  Error error;
};

/// Takes new versions of apps live on all workers or on none: snapshot → build on every worker → compare → commit
/// everywhere. One at a time; requests for a unit that waits already are joined, the newest contents win, and every
/// caller hears the final outcome. Pure: one thread calls it, threads and time are arguments.
class Reloads {
 public:
  using Done = std::function<void(const ReloadOutcome&)>;

  /// `answer_timeout`: a worker that has not built by then makes the attempt fail; longer than AppLimits::load_timeout.
  Reloads(uint32_t workers, ReloadWorkers& port, Duration answer_timeout);

  /// A snapshot of a unit, or why there is none.
  void request(const std::string& unit, Result<UnitSourcePtr> snapshot, Timestamp now, Done done);

  void on_prepared(uint32_t worker, uint64_t plan, Result<std::vector<Registration>> manifest, Timestamp now);
  void on_committed(uint32_t worker, uint64_t plan, Timestamp now);

  /// The unit is gone: the next request for it is a new one, whatever it contains.
  void forget(const std::string& unit);

  /// When `expire` wants to be called; kNever while it does not.
  Timestamp deadline() const;
  void expire(Timestamp now);

  bool busy() const { return !std::holds_alternative<Idle>(state_); }
  /// The live generation; 0 if none.
  uint32_t generation(const std::string& unit) const;

 private:
  struct Request {
    std::string unit;
    Result<UnitSourcePtr> snapshot;
    std::vector<Done> done;
  };
  struct Idle {};
  /// Workers build. Nothing of the live generation was touched, so all ways out are open.
  struct Building {
    std::vector<bool> answered;
    size_t missing;
    std::vector<Registration> manifest;  ///< of the first that answered; all others must say the same
    uint32_t first = 0;
    Timestamp deadline;
  };
  /// All could build: there is no way back, and nothing that could fail.
  struct Committing {
    std::vector<bool> answered;
    size_t missing;
  };
  struct Live {
    uint32_t generation = 0;
    uint32_t last_tried = 0;
    uint64_t hash = 0;
  };

  void start_next(Timestamp now);
  void start(Request& request, Timestamp now);
  void refuse(Error error, Timestamp now);
  void finish(ReloadOutcome::What what, Error error);

  const uint32_t workers_;
  ReloadWorkers& port_;
  const Duration answer_timeout_;
  std::deque<Request> queue_;  ///< the front is in progress unless idle
  ReloadPlan plan_;            ///< in progress
  std::variant<Idle, Building, Committing> state_;
  std::map<std::string, Live> live_;
};

}  // namespace godwit::host

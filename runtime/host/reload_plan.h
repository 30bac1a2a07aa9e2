#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/unit_source.h"

namespace godwit::host {

/// What a generation tells of itself once it is built.
struct Manifest {
  std::vector<Registration> registrations;
  bool takes_state = false;  ///< the live generation on this worker has state to hand over to it
};

/// What is to become of one unit, on every worker or on none.
struct ReloadPlan {
  enum class Change : uint8_t {
    kLoad,      ///< `generation` of `source` takes over
    kRollback,  ///< the predecessor, which is kept ready during probation, takes over again
    kStop,      ///< nothing takes over: its actions have no handler any more
  };
  uint64_t id = 0;  ///< names the attempt in answers
  std::string unit;
  Change change = Change::kLoad;
  UnitSourcePtr source;     ///< of kLoad
  uint32_t generation = 0;  ///< that is live afterwards; 0 with kStop
  /// What becomes of the generation that is replaced: whether it stays ready to take over again.
  enum class Replaced : uint8_t { kDrained, kKeptReady } replaced = Replaced::kDrained;
};

/// The way to the workers. An implementation posts to their threads; answers come back as calls of Reloads, later or at
/// once. Words to one worker arrive in the order in which they were said.
class ReloadWorkers {
 public:
  virtual ~ReloadWorkers() = default;
  /// Build and check, change nothing; answer `on_prepared`.
  virtual void prepare(uint32_t worker, const ReloadPlan& plan) = 0;
  /// Bring the live generation to rest, let no message into it, and hand its state over to what was prepared; answer
  /// `on_migrated`. Messages wait until `commit` or `abort`.
  virtual void migrate(uint32_t worker, const ReloadPlan& plan) = 0;
  /// The plan holds from the next message on; answer `on_committed`. Must not fail.
  virtual void commit(uint32_t worker, const ReloadPlan& plan) = 0;
  /// Drop what was or still will be prepared; no answer.
  virtual void abort(uint32_t worker, const ReloadPlan& plan) = 0;
  /// The unit's live generation has proved itself: its predecessor is not needed any more; no answer.
  virtual void settle(uint32_t worker, const std::string& unit) = 0;
};

struct ReloadOutcome {
  enum class What : uint8_t {
    kLive,        ///< on all workers
    kUnchanged,   ///< these contents are live already
    kRefused,     ///< nothing changed anywhere; `error` has file and line
    kRolledBack,  ///< an earlier version is live again; `error` says what was wrong with the later one, if it was that
    kStopped,     ///< no generation is live
    kHeldBack,    ///< the unit is disabled, or these very contents were rolled back: nothing was tried
  };
  What what = What::kUnchanged;
  std::string unit;
  uint32_t generation = 0;      ///< the live one, 0 if none
  uint32_t tried = 0;           ///< the newest that was ever built or tried to
  Error error{Code::kOk, {}};   ///< the first
  std::vector<Status> workers;  ///< what each had to say; empty when none was asked
};

std::string_view to_text(ReloadOutcome::What what);

}  // namespace godwit::host

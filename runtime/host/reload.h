#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "host/probation.h"
#include "host/reload_plan.h"

namespace godwit::host {

struct ReloadBounds {
  Duration answer_timeout = 10s;  ///< to build; longer than AppLimits::load_timeout, so that a slow load is named
  Duration pause_max = 500ms;     ///< for a generation with state to come to rest; messages wait so long
  ProbationBounds probation;
};

/// Takes new versions of units live on all workers or on none, one at a time, whoever asks:
///
///   snapshot → build on every worker → validate → (rest → hand state over) → commit everywhere → probation → drained
///
/// Up to the commit nothing of the live generation is touched, and every failure leaves it as it was. In probation the
/// generation before is kept ready, and takes over again by itself when the new one fails too often. Requests for a
/// unit that waits already are joined, the newest contents win, and every caller hears the final outcome. Pure: one
/// thread calls it, threads and time are arguments.
class Reloads {
 public:
  using Done = std::function<void(const ReloadOutcome&)>;

  /// Why a load was asked for. Contents that were rolled back are not tried again by themselves, and a disabled unit is
  /// loaded by nothing but kEnable.
  enum class Trigger : uint8_t { kFilesChanged, kCommand, kEnable };
  enum class Stop : uint8_t { kRemove, kDisable };

  /// `observer` hears every outcome, also of what nobody asked for.
  Reloads(uint32_t workers, ReloadWorkers& port, const ReloadBounds& bounds, Done observer);

  /// For what begins from here on.
  void set_bounds(const ReloadBounds& bounds) { bounds_ = bounds; }

  /// A snapshot of a unit, or why there is none.
  void load(const std::string& unit, Result<UnitSourcePtr> snapshot, Trigger trigger, Timestamp now, Done done = {});
  /// Back to the last good version before the live one: at once while that is kept ready, else it is built again.
  void rollback(const std::string& unit, Timestamp now, Done done = {});
  void stop(const std::string& unit, Stop why, Timestamp now, Done done = {});

  void on_prepared(uint32_t worker, uint64_t plan, Result<Manifest> manifest, Timestamp now);
  void on_migrated(uint32_t worker, uint64_t plan, Status outcome, Timestamp now);
  /// `replaced`: what the generation that was live had done; zeros if there was none.
  void on_committed(uint32_t worker, uint64_t plan, const AppStats& replaced, Timestamp now);
  /// What a generation on probation did so far on one worker.
  void on_stats(uint32_t worker, const std::string& unit, uint32_t generation, const AppStats& stats, Timestamp now);

  /// When `expire` wants to be called; kNever while it does not.
  Timestamp deadline() const;
  void expire(Timestamp now);

  bool busy() const { return !std::holds_alternative<Idle>(state_); }

  struct Unit {
    UnitSource::Kind kind{};
    uint32_t generation = 0;  ///< live; 0: none
    uint32_t last_tried = 0;
    UnitSourcePtr source;                ///< of the live generation
    UnitSourcePtr previous;              ///< the version a rollback goes to; null: none
    uint32_t previous_generation = 0;    ///< of that
    uint64_t rolled_back_hash = 0;       ///< contents that went wrong; 0: none
    std::optional<Probation> probation;  ///< while the workers keep `previous` ready
    bool condemned = false;              ///< on probation, found bad, and waiting to be rolled back
    bool disabled = false;
  };
  /// Every unit that was ever asked for, by name.
  const std::map<std::string, Unit>& units() const { return units_; }
  /// The live generation; 0 if none.
  uint32_t generation(const std::string& unit) const;
  bool disabled(const std::string& unit) const;

 private:
  struct Load {
    Result<UnitSourcePtr> snapshot;
    Trigger trigger;
  };
  struct Rollback {
    Error why{Code::kOk, {}};  ///< kOk: somebody wanted it
    uint32_t generation = 0;   ///< only from this one; 0: from whichever is live
  };
  struct Request {
    std::string unit;
    std::variant<Load, Rollback, Stop> what;
    std::vector<Done> done;
  };
  /// Answers of the workers to one question.
  struct Answers {
    explicit Answers(uint32_t workers) : given(workers), outcomes(workers), missing(workers) {}
    /// False: it has answered already.
    bool take(uint32_t worker, Status outcome);
    const Error* first_error() const;
    std::vector<bool> given;
    std::vector<Status> outcomes;
    size_t missing;
  };
  struct Idle {};
  struct Building {
    Answers answers;
    std::vector<Manifest> manifests;
    Timestamp deadline;
  };
  /// The live generation is at rest, or coming to it; nothing of it has changed.
  struct Migrating {
    Answers answers;
    Timestamp deadline;
  };
  /// There is no way back, and nothing that could fail.
  struct Committing {
    Answers answers;
    AppStats replaced;
  };

  void enqueue(Request request, Timestamp now);
  void start_next(Timestamp now);
  void begin(Load& load, Timestamp now);
  void begin(Rollback& rollback, Timestamp now);
  void begin(Stop& stop, Timestamp now);
  void build(UnitSourcePtr source, Timestamp now);
  void validate(Building& building, Timestamp now);
  Status compare(const std::vector<Manifest>& manifests) const;
  void commit();
  void apply(const AppStats& replaced, Timestamp now);
  void apply_load(Unit& unit, const AppStats& replaced, Timestamp now);
  void refuse(Error error, std::vector<Status> workers, Timestamp now);
  void refuse_silent(Answers& answers, std::string_view what, Timestamp now);
  void settle(const std::string& name, Unit& unit);
  void finish(ReloadOutcome::What what, Error error, std::vector<Status> workers = {});

  const uint32_t workers_;
  ReloadWorkers& port_;
  ReloadBounds bounds_;
  const Done observer_;
  std::deque<Request> queue_;  ///< the front is in progress unless idle
  ReloadPlan plan_;            ///< in progress
  std::variant<Idle, Building, Migrating, Committing> state_;
  std::map<std::string, Unit> units_;
};

}  // namespace godwit::host

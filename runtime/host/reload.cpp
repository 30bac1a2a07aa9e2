#include "host/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace godwit::host {
namespace {

bool same_patterns(const std::vector<Registration>& a, const std::vector<Registration>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Registration& x, const Registration& y) { return x.pattern == y.pattern; });
}

Error no_error() { return {Code::kOk, {}}; }

}  // namespace

std::string_view to_text(ReloadOutcome::What what) {
  switch (what) {
    case ReloadOutcome::What::kLive: return "live";
    case ReloadOutcome::What::kUnchanged: return "unchanged";
    case ReloadOutcome::What::kRefused: return "refused";
    case ReloadOutcome::What::kRolledBack: return "rolled_back";
    case ReloadOutcome::What::kStopped: return "stopped";
    case ReloadOutcome::What::kHeldBack: return "held_back";
  }
  return "";
}

bool Reloads::Answers::take(uint32_t worker, Status outcome) {
  if (given[worker]) return false;
  given[worker] = true;
  outcomes[worker] = std::move(outcome);
  --missing;
  return true;
}

const Error* Reloads::Answers::first_error() const {
  const auto found = std::find_if(outcomes.begin(), outcomes.end(), [](const Status& one) { return !one; });
  return found == outcomes.end() ? nullptr : &found->error();
}

Reloads::Reloads(uint32_t workers, ReloadWorkers& port, const ReloadBounds& bounds, Done observer)
    : workers_(workers), port_(port), bounds_(bounds), observer_(std::move(observer)) {}

void Reloads::load(const std::string& unit, Result<UnitSourcePtr> snapshot, Trigger trigger, Timestamp now, Done done) {
  enqueue({unit, Load{std::move(snapshot), trigger}, {std::move(done)}}, now);
}

void Reloads::rollback(const std::string& unit, Timestamp now, Done done) {
  enqueue({unit, Rollback{}, {std::move(done)}}, now);
}

void Reloads::stop(const std::string& unit, Stop why, Timestamp now, Done done) {
  enqueue({unit, why, {std::move(done)}}, now);
}

/// A load joins the last thing that waits for its unit, if that is a load as well: behind anything else it has to wait.
void Reloads::enqueue(Request request, Timestamp now) {
  const auto begin = queue_.begin() + (busy() ? 1 : 0);
  const auto same = [&](const Request& waiting) { return waiting.unit == request.unit; };
  const auto last = std::find_if(queue_.rbegin(), std::make_reverse_iterator(begin), same);
  auto* newer = std::get_if<Load>(&request.what);
  auto* waiting = last == std::make_reverse_iterator(begin) ? nullptr : std::get_if<Load>(&last->what);
  if (newer && waiting) {
    waiting->snapshot = std::move(newer->snapshot);
    waiting->trigger = std::max(waiting->trigger, newer->trigger);
    last->done.push_back(std::move(request.done.front()));
    return;
  }
  queue_.push_back(std::move(request));
  if (!busy()) start_next(now);
}

void Reloads::start_next(Timestamp now) {
  while (!busy() && !queue_.empty()) {
    std::visit([&](auto& what) { begin(what, now); }, queue_.front().what);
  }
}

void Reloads::begin(Load& load, Timestamp now) {
  if (!load.snapshot) return finish(ReloadOutcome::What::kRefused, std::move(load.snapshot.error()));
  const Unit& unit = units_[queue_.front().unit];
  const uint64_t hash = (*load.snapshot)->hash();
  if (unit.disabled && load.trigger != Trigger::kEnable) {
    return finish(ReloadOutcome::What::kHeldBack, {Code::kScriptRetired, "it is disabled"});
  }
  if (unit.generation != 0 && unit.source->hash() == hash) return finish(ReloadOutcome::What::kUnchanged, no_error());
  if (load.trigger == Trigger::kFilesChanged && unit.rolled_back_hash == hash && hash != 0) {
    return finish(ReloadOutcome::What::kHeldBack,
                  {Code::kScriptRetired, "these contents were rolled back; a reload by name tries them again"});
  }
  build(std::move(*load.snapshot), now);
}

void Reloads::begin(Rollback& rollback, Timestamp now) {
  const std::string& name = queue_.front().unit;
  Unit& unit = units_[name];
  // What was found bad may have been replaced while this waited.
  if (rollback.generation != 0 && rollback.generation != unit.generation) {
    return finish(ReloadOutcome::What::kUnchanged, no_error());
  }
  if (unit.generation == 0 || !unit.previous) {
    unit.condemned = false;
    return finish(ReloadOutcome::What::kRefused,
                  {Code::kNotFound, name + ": there is no earlier version to go back to"});
  }
  if (!unit.probation) return build(unit.previous, now);
  plan_ = {plan_.id + 1, name, ReloadPlan::Change::kRollback, unit.previous, unit.previous_generation};
  commit();
}

void Reloads::begin(Stop&, Timestamp) {
  plan_ = {plan_.id + 1, queue_.front().unit, ReloadPlan::Change::kStop, nullptr, 0};
  commit();
}

void Reloads::build(UnitSourcePtr source, Timestamp now) {
  const Request& request = queue_.front();
  Unit& unit = units_[request.unit];
  const bool back = std::holds_alternative<Rollback>(request.what);
  const bool ready = !back && unit.generation != 0 && bounds_.probation.duration > Duration::zero();
  // Every attempt has its own number, so that a log line never leaves open which one it is about.
  unit.last_tried += 1;
  plan_ = {
      plan_.id + 1,      request.unit,    ReloadPlan::Change::kLoad,
      std::move(source), unit.last_tried, ready ? ReloadPlan::Replaced::kKeptReady : ReloadPlan::Replaced::kDrained};
  state_ = Building{Answers(workers_), std::vector<Manifest>(workers_), now + bounds_.answer_timeout};
  const ReloadPlan plan = plan_;
  // A worker may answer at once, and the last answer may end the attempt.
  for (uint32_t worker = 0; worker < workers_; ++worker) port_.prepare(worker, plan);
}

void Reloads::on_prepared(uint32_t worker, uint64_t plan, Result<Manifest> manifest, Timestamp now) {
  auto* building = std::get_if<Building>(&state_);
  if (!building || plan != plan_.id) return;
  if (!building->answers.take(worker, manifest ? Status() : tl::unexpected(manifest.error()))) return;
  if (manifest) building->manifests[worker] = std::move(*manifest);
  if (building->answers.missing == 0) validate(*building, now);
}

void Reloads::validate(Building& building, Timestamp now) {
  if (const Error* error = building.answers.first_error()) return refuse(*error, building.answers.outcomes, now);
  if (const Status same = compare(building.manifests); !same) return refuse(same.error(), {}, now);
  const bool moves = std::any_of(building.manifests.begin(), building.manifests.end(),
                                 [](const Manifest& manifest) { return manifest.takes_state; });
  if (!moves) return commit();
  state_ = Migrating{Answers(workers_), now + bounds_.pause_max};
  const ReloadPlan plan = plan_;
  for (uint32_t worker = 0; worker < workers_ && busy() && plan_.id == plan.id; ++worker) port_.migrate(worker, plan);
}

Status Reloads::compare(const std::vector<Manifest>& manifests) const {
  for (uint32_t worker = 1; worker < workers_; ++worker) {
    if (same_patterns(manifests[0].registrations, manifests[worker].registrations)) continue;
    return fail(Code::kScriptLoadFailed,
                fmt::format("{}: binds other patterns on worker {} than on worker 0; what is bound must not depend on "
                            "chance or time",
                            plan_.unit, worker));
  }
  return {};
}

void Reloads::on_migrated(uint32_t worker, uint64_t plan, Status outcome, Timestamp now) {
  auto* migrating = std::get_if<Migrating>(&state_);
  if (!migrating || plan != plan_.id) return;
  if (!migrating->answers.take(worker, outcome)) return;
  // Messages wait meanwhile: the first that cannot is enough.
  if (!outcome) return refuse(std::move(outcome.error()), std::move(migrating->answers.outcomes), now);
  if (migrating->answers.missing == 0) commit();
}

void Reloads::commit() {
  state_ = Committing{Answers(workers_), {}};
  const ReloadPlan plan = plan_;
  for (uint32_t worker = 0; worker < workers_; ++worker) port_.commit(worker, plan);
}

void Reloads::on_committed(uint32_t worker, uint64_t plan, const AppStats& replaced, Timestamp now) {
  auto* committing = std::get_if<Committing>(&state_);
  if (!committing || plan != plan_.id || !committing->answers.take(worker, {})) return;
  committing->replaced.handled += replaced.handled;
  committing->replaced.errors += replaced.errors;
  committing->replaced.timeouts += replaced.timeouts;
  if (committing->answers.missing > 0) return;
  apply(committing->replaced, now);
  start_next(now);
}

/// All workers have done it: the books follow, and whoever asked hears of it.
void Reloads::apply(const AppStats& replaced, Timestamp now) {
  Unit& unit = units_[plan_.unit];
  std::vector<Status> workers(workers_);
  if (plan_.change == ReloadPlan::Change::kStop) {
    const bool disabled = std::get<Stop>(queue_.front().what) == Stop::kDisable;
    unit = Unit{.kind = unit.kind, .last_tried = unit.last_tried, .disabled = disabled};
    return finish(ReloadOutcome::What::kStopped, no_error(), std::move(workers));
  }
  if (const auto* rollback = std::get_if<Rollback>(&queue_.front().what)) {
    Error why = rollback->why;
    unit.rolled_back_hash = unit.source->hash();
    unit.source = std::move(unit.previous);
    unit.generation = plan_.generation;
    unit.previous_generation = 0;
    unit.probation.reset();
    unit.condemned = false;
    return finish(ReloadOutcome::What::kRolledBack, std::move(why), std::move(workers));
  }
  apply_load(unit, replaced, now);
  finish(ReloadOutcome::What::kLive, no_error(), std::move(workers));
}

void Reloads::apply_load(Unit& unit, const AppStats& replaced, Timestamp now) {
  if (unit.probation) {
    // What is replaced had not proved itself: the version before it stays the one to go back to.
    const bool ready = plan_.replaced == ReloadPlan::Replaced::kKeptReady;
    unit.probation = ready ? std::optional(unit.probation->again(now)) : std::nullopt;
  } else if (unit.generation != 0) {
    unit.previous = std::move(unit.source);
    unit.previous_generation = unit.generation;
    if (plan_.replaced == ReloadPlan::Replaced::kKeptReady) {
      unit.probation.emplace(bounds_.probation, workers_, replaced, now);
    }
  }
  unit.kind = plan_.source->kind();
  unit.generation = plan_.generation;
  unit.source = plan_.source;
  unit.rolled_back_hash = 0;
  unit.condemned = false;
  unit.disabled = false;
}

void Reloads::on_stats(uint32_t worker, const std::string& name, uint32_t generation, const AppStats& stats,
                       Timestamp now) {
  const auto found = units_.find(name);
  if (found == units_.end()) return;
  Unit& unit = found->second;
  if (!unit.probation || unit.generation != generation || unit.condemned) return;
  std::string complaint = unit.probation->judge(worker, stats);
  if (complaint.empty()) return;
  unit.condemned = true;
  const Error why{Code::kScriptError, fmt::format("{}@{}: {}", name, generation, complaint)};
  queue_.insert(queue_.begin() + (busy() ? 1 : 0), Request{name, Rollback{why, generation}, {}});
  start_next(now);
}

Timestamp Reloads::deadline() const {
  Timestamp earliest = kNever;
  if (const auto* building = std::get_if<Building>(&state_)) earliest = building->deadline;
  if (const auto* migrating = std::get_if<Migrating>(&state_)) earliest = migrating->deadline;
  for (const auto& [name, unit] : units_) {
    if (unit.probation && !unit.condemned) earliest = std::min(earliest, unit.probation->ends());
  }
  return earliest;
}

void Reloads::expire(Timestamp now) {
  for (auto& [name, unit] : units_) {
    if (unit.probation && !unit.condemned && now >= unit.probation->ends()) settle(name, unit);
  }
  if (auto* building = std::get_if<Building>(&state_); building && now >= building->deadline) {
    refuse_silent(building->answers, "did not build it in time", now);
  } else if (auto* migrating = std::get_if<Migrating>(&state_); migrating && now >= migrating->deadline) {
    refuse_silent(migrating->answers, "is busy: its handlers did not come to rest in time", now);
  }
}

void Reloads::settle(const std::string& name, Unit& unit) {
  unit.probation.reset();
  for (uint32_t worker = 0; worker < workers_; ++worker) port_.settle(worker, name);
}

void Reloads::refuse_silent(Answers& answers, std::string_view what, Timestamp now) {
  for (uint32_t worker = 0; worker < workers_; ++worker) {
    answers.take(worker, fail(Code::kScriptLoadFailed, fmt::format("{}: worker {} {}", plan_.unit, worker, what)));
  }
  refuse(*answers.first_error(), answers.outcomes, now);
}

uint32_t Reloads::generation(const std::string& unit) const {
  const auto found = units_.find(unit);
  return found == units_.end() ? 0 : found->second.generation;
}

bool Reloads::disabled(const std::string& unit) const {
  const auto found = units_.find(unit);
  return found != units_.end() && found->second.disabled;
}

void Reloads::refuse(Error error, std::vector<Status> workers, Timestamp now) {
  for (uint32_t worker = 0; worker < workers_; ++worker) port_.abort(worker, plan_);
  finish(ReloadOutcome::What::kRefused, std::move(error), std::move(workers));
  start_next(now);
}

void Reloads::finish(ReloadOutcome::What what, Error error, std::vector<Status> workers) {
  const Request request = std::move(queue_.front());
  queue_.pop_front();
  state_ = Idle{};
  const Unit& unit = units_[request.unit];
  const ReloadOutcome outcome{
      what, request.unit, unit.generation, unit.last_tried, std::move(error), std::move(workers)};
  observer_(outcome);
  for (const Done& done : request.done) {
    if (done) done(outcome);
  }
}

}  // namespace godwit::host

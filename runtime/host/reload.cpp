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

}  // namespace

Reloads::Reloads(uint32_t workers, ReloadWorkers& port, Duration answer_timeout)
    : workers_(workers), port_(port), answer_timeout_(answer_timeout) {}

void Reloads::request(const std::string& unit, Result<UnitSourcePtr> snapshot, Timestamp now, Done done) {
  const auto first_waiting = queue_.begin() + (busy() ? 1 : 0);
  const auto waiting = std::find_if(first_waiting, queue_.end(), [&](const Request& r) { return r.unit == unit; });
  if (waiting != queue_.end()) {
    waiting->snapshot = std::move(snapshot);
    waiting->done.push_back(std::move(done));
    return;
  }
  queue_.push_back({unit, std::move(snapshot), {}});
  queue_.back().done.push_back(std::move(done));
  if (!busy()) start_next(now);
}

void Reloads::start_next(Timestamp now) {
  while (!busy() && !queue_.empty()) {
    Request& request = queue_.front();
    const Live& live = live_[request.unit];
    if (!request.snapshot) {
      finish(ReloadOutcome::What::kRefused, request.snapshot.error());
    } else if (live.generation != 0 && live.hash == (*request.snapshot)->hash()) {
      finish(ReloadOutcome::What::kUnchanged, {});
    } else {
      start(request, now);
    }
  }
}

void Reloads::start(Request& request, Timestamp now) {
  Live& live = live_[request.unit];
  // Every attempt has its own number, so that a log line never leaves open which one it is about.
  live.last_tried += 1;
  plan_ = {plan_.id + 1, std::move(*request.snapshot), live.last_tried};
  state_ = Building{std::vector<bool>(workers_), workers_, {}, 0, now + answer_timeout_};
  const ReloadPlan plan = plan_;
  // A worker may answer at once, and its answer may end the attempt.
  for (uint32_t worker = 0; worker < workers_ && busy() && plan_.id == plan.id; ++worker) port_.prepare(worker, plan);
}

void Reloads::on_prepared(uint32_t worker, uint64_t plan, Result<std::vector<Registration>> manifest, Timestamp now) {
  auto* building = std::get_if<Building>(&state_);
  if (!building || plan != plan_.id || building->answered[worker]) return;
  if (!manifest) return refuse(std::move(manifest.error()), now);
  const bool first = building->missing == workers_;
  if (!first && !same_patterns(building->manifest, *manifest)) {
    return refuse({Code::kScriptLoadFailed, fmt::format("{}: binds other patterns on worker {} than on worker {}; what "
                                                        "is bound must not depend on chance or time",
                                                        plan_.source->name(), worker, building->first)},
                  now);
  }
  if (first) {
    building->manifest = std::move(*manifest);
    building->first = worker;
  }
  building->answered[worker] = true;
  if (--building->missing > 0) return;
  state_ = Committing{std::vector<bool>(workers_), workers_};
  for (uint32_t each = 0; each < workers_; ++each) port_.commit(each, plan);
}

void Reloads::on_committed(uint32_t worker, uint64_t plan, Timestamp now) {
  auto* committing = std::get_if<Committing>(&state_);
  if (!committing || plan != plan_.id || committing->answered[worker]) return;
  committing->answered[worker] = true;
  if (--committing->missing > 0) return;
  Live& live = live_[plan_.source->name()];
  live.generation = plan_.generation;
  live.hash = plan_.source->hash();
  finish(ReloadOutcome::What::kLive, {});
  start_next(now);
}

void Reloads::forget(const std::string& unit) {
  const auto live = live_.find(unit);
  if (live != live_.end()) live->second.generation = 0;
}

Timestamp Reloads::deadline() const {
  const auto* building = std::get_if<Building>(&state_);
  return building ? building->deadline : kNever;
}

void Reloads::expire(Timestamp now) {
  const auto* building = std::get_if<Building>(&state_);
  if (!building || now < building->deadline) return;
  const auto silent = std::find(building->answered.begin(), building->answered.end(), false);
  refuse({Code::kScriptLoadFailed, fmt::format("{}: worker {} did not build it in time", plan_.source->name(),
                                               silent - building->answered.begin())},
         now);
}

uint32_t Reloads::generation(const std::string& unit) const {
  const auto live = live_.find(unit);
  return live == live_.end() ? 0 : live->second.generation;
}

void Reloads::refuse(Error error, Timestamp now) {
  for (uint32_t worker = 0; worker < workers_; ++worker) port_.abort(worker, plan_.id);
  finish(ReloadOutcome::What::kRefused, std::move(error));
  start_next(now);
}

void Reloads::finish(ReloadOutcome::What what, Error error) {
  const Request request = std::move(queue_.front());
  queue_.pop_front();
  state_ = Idle{};
  const ReloadOutcome outcome{what, request.unit, generation(request.unit), std::move(error)};
  for (const Done& done : request.done) done(outcome);
}

}  // namespace godwit::host

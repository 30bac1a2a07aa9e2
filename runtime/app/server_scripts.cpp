#include "app/server_scripts.h"

#include <algorithm>
#include <set>

#include "app/script_check.h"
#include "app/settings.h"

namespace godwit::app {
namespace {

using What = host::ReloadOutcome::What;
using Trigger = host::Reloads::Trigger;

constexpr Duration kStatsInterval = 250ms;  ///< how often a generation on probation is looked at

std::string name_at(const std::string& unit, uint32_t generation) { return unit + "@" + std::to_string(generation); }

}  // namespace

ServerScripts::ServerScripts(const Config& config, const std::vector<std::unique_ptr<Worker>>& workers, Log log)
    : workers_(workers),
      home_(workers.front()->loop()),
      log_(log),
      config_(config),
      calls_(workers, log),
      reloads_(static_cast<uint32_t>(workers.size()), *this, reload_bounds(config),
               [this](const host::ReloadOutcome& outcome) { on_outcome(outcome); }),
      timer_([this](Timestamp now) { on_timer(now); }) {}

ServerScripts::~ServerScripts() = default;

Result<std::unique_ptr<ServerScripts>> ServerScripts::create(const Config& config,
                                                             const std::vector<std::unique_ptr<Worker>>& workers,
                                                             Log log) {
  auto scripts = std::unique_ptr<ServerScripts>(new ServerScripts(config, workers, log));
  auto units = read_units(config, scripts->shelf_);
  if (!units) return tl::unexpected(std::move(units.error()));
  for (UnitRead& unit : *units) {
    if (Status loaded = scripts->load_first(unit); !loaded) return tl::unexpected(std::move(loaded.error()));
  }
  for (const std::string& sentence : sections_of_nobody(config, *units))
    log.warn("a section of the configuration has no effect", {{"section", sentence}});
  if (units->empty()) log.warn("no app was found; every message will be answered HandlerNotFound");
  return scripts;
}

/// Before the workers run: done when it returns.
Status ServerScripts::load_first(UnitRead& unit) {
  Status loaded;
  if (unit.source) {
    reloads_.load(unit.name, std::move(unit.source), Trigger::kCommand, home_.now(),
                  [&](const host::ReloadOutcome& outcome) {
                    if (outcome.what == What::kRefused) loaded = tl::unexpected(outcome.error);
                  });
  } else {
    loaded = tl::unexpected(std::move(unit.source.error()));
  }
  if (loaded || !may_be_left_out(config_, unit.name, loaded.error())) return loaded;
  records_[unit.name].complaint = loaded.error().to_string();
  log_.error("plugin left out", {{"plugin", unit.name}, {"error", loaded.error().to_string()}});
  return {};
}

void ServerScripts::configure(const Config& config) {
  config_ = config;
  reloads_.set_bounds(reload_bounds(config));
}

Result<size_t> ServerScripts::reload_all(Trigger trigger, const Done& done) {
  auto found = read_units(config_, shelf_);
  if (!found) {
    log_.error("scripts not reloaded, the old ones stay", {{"error", found.error().to_string()}});
    return tl::unexpected(std::move(found.error()));
  }
  std::set<std::string> gone;
  for (const auto& [name, record] : records_) {
    if (!record.removed) gone.insert(name);
  }
  for (UnitRead& unit : *found) {
    gone.erase(unit.name);
    reloads_.load(unit.name, std::move(unit.source), trigger, home_.now(), done);
  }
  for (const std::string& name : gone) {
    records_[name].removed = true;
    reloads_.stop(name, host::Reloads::Stop::kRemove, home_.now(), done);
  }
  watch();
  return found->size() + gone.size();
}

Status ServerScripts::reload(const std::string& name, Done done) {
  auto source = read_unit(config_, shelf_, name);
  if (!source && source.error().code == Code::kUnitUnknown) return tl::unexpected(std::move(source.error()));
  reloads_.load(name, std::move(source), Trigger::kCommand, home_.now(), std::move(done));
  watch();
  return {};
}

Status ServerScripts::enable(const std::string& name, Done done) {
  auto source = read_unit(config_, shelf_, name);
  if (!source && source.error().code == Code::kUnitUnknown) return tl::unexpected(std::move(source.error()));
  reloads_.load(name, std::move(source), Trigger::kEnable, home_.now(), std::move(done));
  watch();
  return {};
}

Status ServerScripts::rollback(const std::string& name, Done done) {
  if (Status known = check_known(name); !known) return known;
  reloads_.rollback(name, home_.now(), std::move(done));
  watch();
  return {};
}

Status ServerScripts::disable(const std::string& name, Done done) {
  if (Status known = check_known(name); !known) return known;
  reloads_.stop(name, host::Reloads::Stop::kDisable, home_.now(), std::move(done));
  watch();
  return {};
}

Status ServerScripts::check_known(const std::string& name) const {
  const auto found = records_.find(name);
  if (found == records_.end() || found->second.removed) return fail(Code::kUnitUnknown, name);
  return {};
}

void ServerScripts::on_outcome(const host::ReloadOutcome& outcome) {
  Record& record = records_[outcome.unit];
  const std::string name = name_at(outcome.unit, outcome.generation);
  switch (outcome.what) {
    case What::kLive:
      ++record.succeeded;
      record.complaint.clear();
      record.removed = false;
      return log_.info("app is live", {{"app", name}});
    case What::kUnchanged: return record.complaint.clear();
    case What::kRefused:
      ++record.failed;
      record.complaint = outcome.error.to_string();
      return log_.error("app not reloaded, the version that worked goes on",
                        {{"app", name_at(outcome.unit, outcome.tried)}, {"live", name}, {"error", record.complaint}});
    case What::kRolledBack:
      record.complaint.clear();
      if (outcome.error.code == Code::kOk) return log_.info("app rolled back as asked", {{"app", name}});
      ++record.failed;
      ++record.rolled_back;
      record.complaint = outcome.error.to_string();
      return log_.error("app failed on probation, the version before is live again",
                        {{"app", name}, {"error", record.complaint}});
    case What::kStopped:
      record.complaint.clear();
      return log_.info(reloads_.disabled(outcome.unit) ? "app disabled" : "app removed", {{"app", outcome.unit}});
    case What::kHeldBack: return log_.info("app left alone", {{"app", name}, {"why", outcome.error.text}});
  }
}

void ServerScripts::prepare(uint32_t worker, const host::ReloadPlan& plan) {
  calls_.call(worker, [this, worker, plan, limits = app_limits(config_, plan.unit)](WorkerApps& apps) {
    auto manifest = apps.prepare(plan, limits);
    calls_.answer(worker, [this, worker, id = plan.id, manifest = std::move(manifest)] {
      reloads_.on_prepared(worker, id, manifest, home_.now());
      watch();
    });
  });
}

void ServerScripts::migrate(uint32_t worker, const host::ReloadPlan& plan) {
  calls_.call(worker, [this, worker, id = plan.id](WorkerApps& apps) {
    apps.migrate([this, worker, id](const Status& moved) {
      calls_.answer(worker, [this, worker, id, moved] {
        reloads_.on_migrated(worker, id, moved, home_.now());
        watch();
      });
    });
  });
}

void ServerScripts::commit(uint32_t worker, const host::ReloadPlan& plan) {
  calls_.call(worker, [this, worker, plan](WorkerApps& apps) {
    const host::AppStats replaced = apps.commit(plan);
    calls_.answer(worker, [this, worker, id = plan.id, replaced] {
      reloads_.on_committed(worker, id, replaced, home_.now());
      watch();
    });
  });
}

void ServerScripts::abort(uint32_t worker, const host::ReloadPlan&) {
  calls_.call(worker, [](WorkerApps& apps) { apps.abort(); });
}

void ServerScripts::settle(uint32_t worker, const std::string& unit) {
  calls_.call(worker, [unit](WorkerApps& apps) { apps.settle(unit); });
}

void ServerScripts::watch() {
  const auto& units = reloads_.units();
  const bool trial = std::any_of(units.begin(), units.end(), [](const auto& one) { return one.second.probation; });
  const Timestamp next_stats = trial ? home_.now() + kStatsInterval : kNever;
  // What was waited for before stays: a busy queue must not put the stats off for ever.
  const Timestamp before = timer_.armed() ? timer_.deadline() : kNever;
  home_.timers().arm(timer_, std::min({before, reloads_.deadline(), next_stats}));
}

void ServerScripts::on_timer(Timestamp now) {
  reloads_.expire(now);
  ask_for_stats();
  watch();
}

/// How those on probation do.
void ServerScripts::ask_for_stats() {
  for (const auto& [name, unit] : reloads_.units()) {
    if (!unit.probation) continue;
    for (uint32_t worker = 0; worker < calls_.count(); ++worker) {
      calls_.call(worker, [this, worker, name = name, generation = unit.generation](WorkerApps& apps) {
        const auto stats = apps.stats_of(name, generation);
        if (!stats) return;
        calls_.answer(worker, [this, worker, name, generation, stats = *stats] {
          reloads_.on_stats(worker, name, generation, stats, home_.now());
        });
      });
    }
  }
}

std::vector<admin::AppView> ServerScripts::views() const {
  std::vector<admin::AppView> all;
  for (const auto& worker : workers_) {
    for (admin::AppView& view : worker->apps().views()) all.push_back(std::move(view));
  }
  return all;
}

std::vector<admin::AppReloads> ServerScripts::reloads() const {
  std::vector<admin::AppReloads> all;
  for (const auto& [name, record] : records_)
    all.push_back({name, record.succeeded, record.failed, record.rolled_back});
  return all;
}

std::string ServerScripts::complaint() const {
  for (const auto& [name, record] : records_) {
    if (!record.complaint.empty()) return record.complaint;
  }
  return {};
}

std::string ServerScripts::complaint(const std::string& name) const {
  const auto found = records_.find(name);
  return found == records_.end() ? std::string() : found->second.complaint;
}

}  // namespace godwit::app

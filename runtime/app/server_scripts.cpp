#include "app/server_scripts.h"

#include <iterator>
#include <set>

#include "app/settings.h"

namespace godwit::app {

Result<std::vector<AppRead>> read_apps(const Config& config, PluginShelf& shelf) {
  std::vector<AppRead> apps;
  std::set<std::string> names;
  for (const std::filesystem::path& path : config.scripts.paths) {
    auto folders = host::find_apps(path);
    if (!folders) return tl::unexpected(std::move(folders.error()));
    for (const std::filesystem::path& folder : *folders) {
      auto source = host::read_app(folder, app_limits(config));
      std::string name = source ? source->name : folder.filename().string();
      if (!names.insert(name).second) {
        return fail(Code::kScriptLoadFailed, folder.string() + ": another app is called " + name + " already");
      }
      apps.push_back({std::move(name), std::move(source).map(host::make_unit)});
    }
  }
  auto plugins = read_plugins(config, shelf);
  if (!plugins) return plugins;
  std::move(plugins->begin(), plugins->end(), std::back_inserter(apps));
  return apps;
}

ServerScripts::ServerScripts(const Config& config, const std::vector<std::unique_ptr<Worker>>& workers, Log log)
    : workers_(workers),
      home_(workers.front()->loop()),
      log_(log),
      limits_(app_limits(config)),
      // Longer than a load may take, so that a slow script is named by its own limit.
      reloads_(static_cast<uint32_t>(workers.size()), *this, 2 * config.scripts.load_timeout),
      deadline_timer_([this](Timestamp now) {
        reloads_.expire(now);
        watch_deadline();
      }) {}

ServerScripts::~ServerScripts() = default;

Result<std::unique_ptr<ServerScripts>> ServerScripts::create(const Config& config,
                                                             const std::vector<std::unique_ptr<Worker>>& workers,
                                                             Log log) {
  auto scripts = std::unique_ptr<ServerScripts>(new ServerScripts(config, workers, log));
  auto apps = read_apps(config, scripts->shelf_);
  if (!apps) return tl::unexpected(std::move(apps.error()));
  for (AppRead& app : *apps) {
    if (!app.source) return tl::unexpected(std::move(app.source.error()));
    Status outcome;
    scripts->reloads_.request(app.name, std::move(app.source), scripts->home_.now(),
                              [&](const host::ReloadOutcome& done) {
                                if (done.what == host::ReloadOutcome::What::kRefused)
                                  outcome = tl::unexpected(done.error);
                                scripts->on_outcome(done);
                              });
    if (!outcome) return tl::unexpected(std::move(outcome.error()));
  }
  if (apps->empty()) log.warn("no app was found; every message will be answered HandlerNotFound");
  return scripts;
}

void ServerScripts::reload(const Config& config) {
  limits_ = app_limits(config);
  auto apps = read_apps(config, shelf_);
  if (!apps) {
    log_.error("scripts not reloaded, the old ones stay", {{"error", apps.error().to_string()}});
    return;
  }
  std::set<std::string> gone;
  for (const auto& [name, app] : apps_) gone.insert(name);
  for (AppRead& app : *apps) {
    gone.erase(app.name);
    reloads_.request(app.name, std::move(app.source), home_.now(),
                     [this](const host::ReloadOutcome& done) { on_outcome(done); });
  }
  for (const std::string& name : gone) remove(name);
  watch_deadline();
}

void ServerScripts::on_outcome(const host::ReloadOutcome& outcome) {
  App& app = apps_[outcome.unit];
  const std::string name = outcome.unit + "@" + std::to_string(outcome.generation);
  switch (outcome.what) {
    case host::ReloadOutcome::What::kLive:
      ++app.succeeded;
      app.complaint.clear();
      app.removed = false;
      return log_.info("app is live", {{"app", name}});
    case host::ReloadOutcome::What::kUnchanged: return app.complaint.clear();
    case host::ReloadOutcome::What::kRefused:
      ++app.failed;
      app.complaint = outcome.error.to_string();
      return log_.error("app not reloaded, the version that worked goes on", {{"app", name}, {"error", app.complaint}});
  }
}

void ServerScripts::remove(const std::string& name) {
  if (std::exchange(apps_[name].removed, true)) return;
  reloads_.forget(name);
  for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
    const bool asked = ask(worker, [name](WorkerApps& apps) {
      apps.remove(name);
      return [] {};
    });
    if (!asked) log_.error("a worker's mailbox is full; it keeps an app that was removed", {{"app", name}});
  }
  log_.info("app removed", {{"app", name}});
}

void ServerScripts::prepare(uint32_t worker, const host::ReloadPlan& plan) {
  const bool asked = ask(worker, [this, worker, plan, limits = limits_](WorkerApps& apps) {
    auto manifest = apps.prepare(*plan.source, plan.generation, limits);
    return [this, worker, id = plan.id, manifest = std::move(manifest)] {
      reloads_.on_prepared(worker, id, manifest, home_.now());
    };
  });
  if (!asked) reloads_.on_prepared(worker, plan.id, fail(Code::kQueueFull, "a worker's mailbox is full"), home_.now());
}

void ServerScripts::commit(uint32_t worker, uint64_t plan) {
  const bool asked = ask(worker, [this, worker, plan](WorkerApps& apps) {
    apps.commit();
    return [this, worker, plan] { reloads_.on_committed(worker, plan, home_.now()); };
  });
  if (asked) return;
  log_.error("a worker's mailbox is full; it keeps the old generation", {{"worker", worker}});
  reloads_.on_committed(worker, plan, home_.now());
}

void ServerScripts::abort(uint32_t worker, uint64_t) {
  const bool asked = ask(worker, [](WorkerApps& apps) {
    apps.abort();
    return [] {};
  });
  if (!asked) log_.error("a worker's mailbox is full; it keeps what it built for nothing", {{"worker", worker}});
}

bool ServerScripts::ask(uint32_t worker, std::function<std::function<void()>(WorkerApps&)> work) {
  if (!running_) return work(workers_[worker]->apps())(), true;
  Worker* one = workers_[worker].get();
  return one->loop().post([this, one, work = std::move(work)] {
    if (!home_.post(work(one->apps()))) log_.error("a worker could not report a reload: the mailbox is full");
  });
}

void ServerScripts::watch_deadline() { home_.timers().arm(deadline_timer_, reloads_.deadline()); }

std::vector<admin::AppView> ServerScripts::views() const {
  std::vector<admin::AppView> all;
  for (const auto& worker : workers_) {
    for (admin::AppView& view : worker->apps().views()) all.push_back(std::move(view));
  }
  return all;
}

std::vector<admin::AppReloads> ServerScripts::reloads() const {
  std::vector<admin::AppReloads> all;
  for (const auto& [name, app] : apps_) all.push_back({name, app.succeeded, app.failed});
  return all;
}

std::string ServerScripts::complaint() const {
  for (const auto& [name, app] : apps_) {
    if (!app.complaint.empty()) return app.complaint;
  }
  return {};
}

}  // namespace godwit::app

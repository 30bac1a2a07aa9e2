#include "app/server_scripts.h"

#include <set>

#include "app/settings.h"

namespace godwit::app {

Result<std::vector<std::shared_ptr<const host::AppSource>>> read_apps(const Config& config) {
  std::vector<std::shared_ptr<const host::AppSource>> sources;
  std::set<std::string> names;
  for (const std::filesystem::path& path : config.scripts.paths) {
    auto folders = host::find_apps(path);
    if (!folders) return tl::unexpected(std::move(folders.error()));
    for (const std::filesystem::path& folder : *folders) {
      auto source = host::read_app(folder, app_limits(config));
      if (!source) return tl::unexpected(std::move(source.error()));
      if (!names.insert(source->name).second) {
        return fail(Code::kScriptLoadFailed, folder.string() + ": another app is called " + source->name + " already");
      }
      sources.push_back(std::make_shared<const host::AppSource>(std::move(*source)));
    }
  }
  return sources;
}

Result<std::unique_ptr<ServerScripts>> ServerScripts::create(const Config& config,
                                                             const std::vector<std::unique_ptr<Worker>>& workers,
                                                             Log log) {
  auto scripts = std::unique_ptr<ServerScripts>(new ServerScripts(workers, log));
  if (const Status loaded = scripts->load_all(config); !loaded) return tl::unexpected(loaded.error());
  return scripts;
}

Status ServerScripts::load_all(const Config& config) {
  auto sources = read_apps(config);
  if (!sources) return tl::unexpected(std::move(sources.error()));
  for (const auto& source : *sources) {
    for (const auto& worker : workers_) {
      if (Status prepared = worker->apps().prepare(source, 1, app_limits(config)); !prepared) return prepared;
      worker->apps().commit();
    }
    apps_[source->name] = {.source = source, .generation = 1, .succeeded = 1};
    log_.info("app is live", {{"app", source->name + "@1"}});
  }
  if (apps_.empty()) log_.warn("no app was found; every message will be answered HandlerNotFound");
  return {};
}

void ServerScripts::reload(const Config& config) {
  auto sources = read_apps(config);
  if (!sources) {
    log_.error("scripts not reloaded, the old ones stay", {{"error", sources.error().to_string()}});
    return;
  }
  std::set<std::string> gone;
  for (const auto& [name, app] : apps_) gone.insert(name);
  for (const auto& source : *sources) {
    gone.erase(source->name);
    const auto known = apps_.find(source->name);
    const bool changed = known == apps_.end() || !known->second.source || known->second.source->hash != source->hash;
    // A version that failed may be followed by the old one again: then there is nothing to do but to stop complaining.
    if (!changed) known->second.complaint.clear();
    if (changed || !jobs_.empty()) jobs_.push_back({source->name, source, app_limits(config)});
  }
  for (const std::string& name : gone) {
    if (apps_[name].source) jobs_.push_back({name, nullptr, {}});
  }
  if (!busy_) next();
}

void ServerScripts::next() {
  while (!jobs_.empty()) {
    const Job& job = jobs_.front();
    if (job.source) {
      const App& app = apps_[job.name];
      // Queued behind an earlier reload, which brought the same files.
      const bool live = app.source && app.source->hash == job.source->hash;
      if (!live) return prepare(job);
    } else {
      for (size_t i = 0; i < workers_.size(); ++i) {
        post(i, [name = job.name](WorkerApps& apps) { apps.remove(name); });
      }
      apps_[job.name].source = nullptr;
      log_.info("app removed", {{"app", job.name}});
    }
    jobs_.pop_front();
  }
}

void ServerScripts::prepare(const Job& job) {
  busy_ = true;
  outcome_ = {};
  waiting_for_ = workers_.size();
  const uint32_t generation = ++apps_[job.name].generation;
  for (size_t i = 0; i < workers_.size(); ++i) {
    post(i, [this, source = job.source, limits = job.limits, generation](WorkerApps& apps) {
      Status outcome = apps.prepare(source, generation, limits);
      io::Loop& home = workers_.front()->loop();
      if (!home.post([this, outcome = std::move(outcome)] { on_prepared(outcome); })) {
        log_.error("a worker could not report a reload: the mailbox is full");
      }
    });
  }
}

void ServerScripts::post(size_t worker, std::function<void(WorkerApps&)> work) {
  Worker* one = workers_[worker].get();
  if (one->loop().post([one, work = std::move(work)] { work(one->apps()); })) return;
  if (waiting_for_ > 0) on_prepared(fail(Code::kQueueFull, "a worker's mailbox is full"));
}

void ServerScripts::on_prepared(const Status& outcome) {
  if (!outcome && outcome_) outcome_ = outcome;
  if (--waiting_for_ == 0) finish();
}

void ServerScripts::finish() {
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  busy_ = false;
  const bool good = outcome_.has_value();
  for (size_t i = 0; i < workers_.size(); ++i) {
    post(i, [good](WorkerApps& apps) { good ? apps.commit() : apps.abort(); });
  }
  if (good) {
    succeed(job);
  } else {
    fail_job(job, outcome_.error());
  }
  next();
}

void ServerScripts::succeed(const Job& job) {
  App& app = apps_[job.name];
  app.source = job.source;
  app.complaint.clear();
  ++app.succeeded;
  log_.info("app is live", {{"app", job.name + "@" + std::to_string(app.generation)}});
}

void ServerScripts::fail_job(const Job& job, const Error& error) {
  App& app = apps_[job.name];
  app.complaint = error.to_string();
  ++app.failed;
  log_.error("app not reloaded, the version that worked goes on", {{"app", job.name}, {"error", error.to_string()}});
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

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/plugin_units.h"
#include "app/worker.h"
#include "host/reload.h"

namespace godwit::app {

/// All apps of all workers: reads the files, and carries the words of the reload machine (host/reload.h) between the
/// threads. An app goes live on all workers or on none; then the one that worked goes on, and the log says file and
/// line. Runs on the first worker's thread.
class ServerScripts final : private host::ReloadWorkers {
 public:
  /// Loads every app and plugin, before the workers run. One that can not be loaded is an error.
  static Result<std::unique_ptr<ServerScripts>> create(const Config& config,
                                                       const std::vector<std::unique_ptr<Worker>>& workers, Log log);
  ~ServerScripts() override;

  /// From here on workers are reached through their mailboxes.
  void workers_run() { running_ = true; }

  /// Looks at all files again; what changed is reloaded, what appeared loaded, what is gone removed. Returns at once.
  void reload(const Config& config);

  std::vector<admin::AppView> views() const;
  std::vector<admin::AppReloads> reloads() const;
  /// What keeps the newest files from being live; empty when they are.
  std::string complaint() const;

 private:
  struct App {
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    std::string complaint;
    bool removed = false;
  };

  ServerScripts(const Config& config, const std::vector<std::unique_ptr<Worker>>& workers, Log log);
  void on_outcome(const host::ReloadOutcome& outcome);
  void remove(const std::string& name);

  void prepare(uint32_t worker, const host::ReloadPlan& plan) override;
  void commit(uint32_t worker, uint64_t plan) override;
  void abort(uint32_t worker, uint64_t plan) override;
  /// Runs `work` on a worker's thread, and `answer` afterwards here. False: its mailbox is full.
  bool ask(uint32_t worker, std::function<std::function<void()>(WorkerApps&)> work);
  void watch_deadline();

  const std::vector<std::unique_ptr<Worker>>& workers_;
  io::Loop& home_;
  Log log_;
  host::AppLimits limits_;
  PluginShelf shelf_;
  host::Reloads reloads_;
  Timer deadline_timer_;
  std::map<std::string, App> apps_;
  bool running_ = false;
};

/// Reads all apps of scripts.paths and all plugins of plugins.paths, each for itself: one that can not be read does not
/// keep the others from being. An error is a path that can not be looked into, or two of one name.
Result<std::vector<AppRead>> read_apps(const Config& config, PluginShelf& shelf);

}  // namespace godwit::app

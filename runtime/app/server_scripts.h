#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/worker.h"

namespace godwit::app {

/// All apps of all workers. A reload reads an app's files once, builds the new generation on every worker, and lets all
/// workers take it over only when each of them could build it; otherwise the one that worked goes on, and the log says
/// file and line. One queue: reloads of one app follow one another. Runs on the first worker's thread.
class ServerScripts {
 public:
  /// Loads every app of scripts.paths, before the workers run. An app that can not be loaded is an error.
  static Result<std::unique_ptr<ServerScripts>> create(const Config& config,
                                                       const std::vector<std::unique_ptr<Worker>>& workers, Log log);

  /// Looks at all files again; what changed is reloaded, what appeared loaded, what is gone removed. Returns at once.
  void reload(const Config& config);

  std::vector<admin::AppView> views() const;
  std::vector<admin::AppReloads> reloads() const;
  /// What keeps the newest files from being live; empty when they are.
  std::string complaint() const;

 private:
  struct App {
    std::shared_ptr<const host::AppSource> source;  ///< live
    uint32_t generation = 0;                        ///< last one tried
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    std::string complaint;
  };
  /// One app on its way to a new generation.
  struct Job {
    std::string name;
    std::shared_ptr<const host::AppSource> source;  ///< null: the app is gone
    host::AppLimits limits;
  };

  ServerScripts(const std::vector<std::unique_ptr<Worker>>& workers, Log log) : workers_(workers), log_(log) {}
  Status load_all(const Config& config);
  void next();
  void prepare(const Job& job);
  void on_prepared(const Status& outcome);
  void finish();
  void succeed(const Job& job);
  void fail_job(const Job& job, const Error& error);
  void post(size_t worker, std::function<void(WorkerApps&)> work);

  const std::vector<std::unique_ptr<Worker>>& workers_;
  Log log_;
  std::map<std::string, App> apps_;
  std::deque<Job> jobs_;  ///< the front is in progress
  bool busy_ = false;
  size_t waiting_for_ = 0;  ///< workers that have not answered
  Status outcome_;          ///< of the job in progress: the first error
};

/// Reads all apps of scripts.paths, or says which file can not be. The same name twice is an error.
Result<std::vector<std::shared_ptr<const host::AppSource>>> read_apps(const Config& config);

}  // namespace godwit::app

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/plugin_units.h"
#include "app/unit_files.h"
#include "app/worker_calls.h"
#include "host/reload.h"

namespace godwit::app {

/// All scripts and plugins of all workers: reads the files, and carries the words of the reload machine
/// (host/reload.h) between the threads. A unit goes live on all workers or on none; then the one that worked goes on,
/// and the log says file and line. Whoever asks for a change (a saved file, a signal, an operator) goes through the
/// same queue. Runs on the first worker's thread.
class ServerScripts final : private host::ReloadWorkers {
 public:
  using Done = host::Reloads::Done;

  /// Loads every unit, before the workers run. One that can not be loaded is an error.
  static Result<std::unique_ptr<ServerScripts>> create(const Config& config,
                                                       const std::vector<std::unique_ptr<Worker>>& workers, Log log);
  ~ServerScripts() override;

  /// From here on workers are reached through their mailboxes.
  void workers_run() { calls_.workers_run(); }

  /// New limits and bounds; they hold from the next load on.
  void configure(const Config& config);

  /// Looks at all files again; what changed is reloaded, what appeared loaded, what is gone removed. Returns at once
  /// how many units it asked for; `done` hears the outcome of each.
  Result<size_t> reload_all(host::Reloads::Trigger trigger, const Done& done = {});

  // For one unit by name; UnitUnknown at once, or `done` hears the outcome.
  Status reload(const std::string& name, Done done);
  Status rollback(const std::string& name, Done done);
  Status enable(const std::string& name, Done done);
  Status disable(const std::string& name, Done done);

  const std::map<std::string, host::Reloads::Unit>& units() const { return reloads_.units(); }
  WorkerCalls& calls() { return calls_; }

  std::vector<admin::AppView> views() const;
  std::vector<admin::AppReloads> reloads() const;
  /// What keeps the newest files from being live; empty when they are.
  std::string complaint() const;
  /// The same of one unit.
  std::string complaint(const std::string& name) const;

 private:
  struct Record {
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    uint64_t rolled_back = 0;
    std::string complaint;
    bool removed = false;
  };

  ServerScripts(const Config& config, const std::vector<std::unique_ptr<Worker>>& workers, Log log);
  Status load_first(UnitRead& unit);
  void on_outcome(const host::ReloadOutcome& outcome);
  Status check_known(const std::string& name) const;

  void prepare(uint32_t worker, const host::ReloadPlan& plan) override;
  void migrate(uint32_t worker, const host::ReloadPlan& plan) override;
  void commit(uint32_t worker, const host::ReloadPlan& plan) override;
  void abort(uint32_t worker, const host::ReloadPlan& plan) override;
  void settle(uint32_t worker, const std::string& unit) override;

  void watch();
  void on_timer(Timestamp now);
  void ask_for_stats();

  const std::vector<std::unique_ptr<Worker>>& workers_;
  io::Loop& home_;
  Log log_;
  Config config_;
  PluginShelf shelf_;
  WorkerCalls calls_;
  host::Reloads reloads_;
  Timer timer_;
  std::map<std::string, Record> records_;
};

}  // namespace godwit::app

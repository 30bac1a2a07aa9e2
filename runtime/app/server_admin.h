#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/admin_server.h"
#include "app/config/config.h"
#include "app/server_scripts.h"
#include "app/worker.h"
#include "io/log_sink.h"
#include "io/poll_watcher.h"
#include "io/thread_pool.h"

namespace godwit::app {

/// Gives the admin plane its facts, and its place on the first worker's loop.
class ServerAdmin final : private admin::AdminSource {
 public:
  /// What the facts come from; outlives it.
  struct Parts {
    const std::vector<std::unique_ptr<Worker>>& workers;
    const ServerScripts& scripts;
    const MetricStore& metrics;
    const store::Engine& store;
    const OnceBook& once;
    const io::ThreadPool& pool;
    io::SystemLogSink& sink;
  };
  static Result<std::unique_ptr<ServerAdmin>> create(const Config& config, const Parts& parts, io::Loop& loop);
  ~ServerAdmin() override;

  /// Where it listens, or "off".
  std::string address() const;

  void set_state(admin::ServerState state) { state_ = state; }
  /// What the last reload of the configuration had to say against it; empty: it is in force.
  void set_config_reload(std::string complaint, int64_t unix_us);
  /// The same of the certificate.
  void set_certificate_complaint(std::string complaint) { certificate_complaint_ = std::move(complaint); }

 private:
  ServerAdmin(const Config& config, const Parts& parts);

  std::vector<admin::WorkerView> workers() const override;
  std::vector<admin::AppView> apps() const override;
  std::vector<admin::AppReloads> app_reloads() const override;
  admin::ServerFacts facts() const override;
  std::vector<MetricStore::View> unit_metrics() const override { return parts_.metrics.views(); }
  std::vector<transfer::StrategyView> strategies() const override;

  /// All that keeps what was saved last from being in force; empty when nothing does.
  std::string complaint() const;

  const Config config_;
  const Parts parts_;
  const int64_t started_unix_us_;
  admin::ServerState state_ = admin::ServerState::kStarting;
  std::optional<admin::ConfigReload> config_reload_;
  std::string config_complaint_;
  std::string certificate_complaint_;
  std::unique_ptr<admin::AdminServer> http_;
  std::unique_ptr<io::PollWatcher> watcher_;
};

}  // namespace godwit::app

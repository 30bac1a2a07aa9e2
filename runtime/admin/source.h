#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/metric_store.h"
#include "base/time.h"
#include "base/worker_metrics.h"
#include "transfer/planner.h"

namespace godwit::admin {

/// A worker as others may see it.
struct WorkerView {
  const WorkerMetrics* metrics = nullptr;  ///< read while the worker writes
  Timestamp last_beat;                ///< when its loop last came round; a healthy loop does every second, idle or not
  uint64_t datagrams_lost = 0;        ///< its sockets: refused by the system for good
  uint64_t datagrams_bad = 0;         ///< received empty or cut off
  uint64_t sends_blocked = 0;         ///< times that sending had to wait
  uint64_t recipients_in_groups = 0;  ///< of broadcasts
  uint64_t recipients_everywhere = 0;
  uint64_t generations = 0;  ///< of scripts and plugins, in memory
};

/// One app on one worker.
struct AppView {
  std::string name;
  uint32_t worker = 0;
  uint32_t generation = 0;
  uint64_t memory_bytes = 0;
  uint64_t memory_bytes_max = 0;
  uint64_t handled = 0;  ///< messages, over all generations
  uint64_t errors = 0;
  uint64_t timeouts = 0;
  uint64_t waiting = 0;               ///< coroutines, or deferred messages, of the live generation
  HistogramSnapshot handler_seconds;  ///< for each message: a batch's time in equal shares
};

/// Loads of an app since the start.
struct AppReloads {
  std::string name;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t rolled_back = 0;
};

/// The last reload of the configuration.
struct ConfigReload {
  int64_t unix_us = 0;
  bool succeeded = true;
};

enum class ServerState : uint8_t { kStarting, kServing, kDraining };

/// What the store, and what is kept in it of operations, counts.
struct StoreFacts {
  uint64_t applied = 0;
  uint64_t conflicts = 0;
  uint64_t refused = 0;
  uint64_t failures = 0;
  uint64_t commits = 0;
  uint64_t waiting = 0;
  uint64_t bytes = 0;
  uint64_t operations = 0;
  uint64_t operation_bytes = 0;
};

/// The threads for blocking work.
struct PoolFacts {
  uint64_t tasks = 0;
  uint64_t done = 0;
  uint64_t rejected = 0;
  HistogramSnapshot seconds;
};

struct ServerFacts {
  ServerState state = ServerState::kStarting;
  std::string degraded;  ///< why the server serves worse than it should, for people; empty when it does not
  std::string version;
  std::string commit;               ///< of the sources; empty when unknown
  std::string luajit;               ///< its version
  std::string protocol;             ///< "godwit/1"
  std::vector<std::string> listen;  ///< where QUIC is served, with the real ports
  int64_t started_unix_us = 0;
  uint64_t dispatch_queue_max = 0;            ///< per worker
  uint64_t promises_max = 0;                  ///< per worker
  std::optional<ConfigReload> config_reload;  ///< none before the first
  std::array<uint64_t, 5> log_records{};      ///< trace, debug, info, warn, error
  uint64_t log_lines_dropped = 0;
  StoreFacts store;
  PoolFacts pool;
};

/// What the admin plane asks of the server. Called on the admin plane's thread, once per request that needs it; the
/// answers are values and stay valid until that request is answered.
class AdminSource {
 public:
  virtual ~AdminSource() = default;
  virtual std::vector<WorkerView> workers() const = 0;
  virtual std::vector<AppView> apps() const = 0;
  virtual std::vector<AppReloads> app_reloads() const = 0;
  virtual ServerFacts facts() const = 0;
  /// What live scripts and plugins count.
  virtual std::vector<MetricStore::View> unit_metrics() const = 0;
  /// Whose plans messages travelled by, once for each worker.
  virtual std::vector<transfer::StrategyView> strategies() const = 0;
};

}  // namespace godwit::admin

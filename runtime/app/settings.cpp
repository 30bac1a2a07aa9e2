#include "app/settings.h"

#include <algorithm>
#include <thread>

#include "store/durable_engine.h"
#include "store/memory_engine.h"

namespace godwit::app {

session::SessionConfig session_settings(const Config& config) {
  const SessionSection& from = config.session;
  return {
      .sessions_max = from.max_clients,
      .greeting_timeout = from.login_timeout,
      .heartbeat_interval = from.heartbeat_interval,
      .heartbeat_misses_max = static_cast<uint32_t>(from.heartbeat_timeout_count),
      .outbox_messages_max = from.outbox_messages_max,
      .outbox_bytes_max = from.outbox_bytes_max,
      .overflow = from.overflow,
      .holdback_messages_max = from.holdback_messages_max,
      .holdback_bytes_max = from.holdback_bytes_max,
      .ack_delay = from.ack_delay,
      .ack_every = static_cast<uint32_t>(from.ack_every),
      .ack_timeout = from.ack_timeout,
      .ack_retries = static_cast<uint32_t>(from.ack_retries),
      .resume_window = from.resume_window,
      .idle_timeout = from.idle_timeout,
      .activity = from.activity,
      .request_timeout = config.message.default_timeout,
      .body_bytes_max = config.message.inline_max,
      .arriving_bytes_max = config.message.arriving_bytes_max,
  };
}

ServerCoreConfig core_settings(const Config& config) {
  ServerCoreConfig core;
  core.session = session_settings(config);
  core.dispatcher.queue_messages_max = config.message.dispatch_queue;
  core.dispatcher.queue_bytes_max = config.message.dispatch_queue_bytes_max;
  core.dispatcher.turn_budget = config.message.turn_budget;
  core.dispatcher.body_bytes_max = config.message.inline_max;
  core.codec.inline_bytes_max = config.message.inline_max;
  core.promises_max = config.message.promise_max;
  core.promises_warn_ratio = config.message.promise_warn_ratio;
  return core;
}

host::AppLimits app_limits(const Config& config, const std::string& app) {
  host::AppLimits limits;
  limits.memory_bytes_max = config.scripts.memory_max;
  limits.burst_max = config.scripts.burst_max;
  limits.load_timeout = config.scripts.load_timeout;
  limits.handler_timeout = config.scripts.handler_timeout;
  limits.cpu_max = config.scripts.cpu_max;
  limits.coroutines_max = config.scripts.coroutines_max;
  limits.drain_timeout = config.scripts.drain_timeout;
  const auto own = config.apps.find(app);
  if (own == config.apps.end()) return limits;
  limits.memory_bytes_max = own->second.memory_max.value_or(limits.memory_bytes_max);
  limits.burst_max = own->second.burst_max.value_or(limits.burst_max);
  limits.load_timeout = own->second.load_timeout.value_or(limits.load_timeout);
  limits.handler_timeout = own->second.handler_timeout.value_or(limits.handler_timeout);
  limits.cpu_max = own->second.cpu_max.value_or(limits.cpu_max);
  limits.coroutines_max = own->second.coroutines_max.value_or(limits.coroutines_max);
  return limits;
}

OfflineLimits offline_limits(const Config& config) {
  const OfflineSection& from = config.offline;
  return {.ttl = from.ttl,
          .messages_max = from.messages_max,
          .bytes_max = from.bytes_max,
          .total_bytes_max = from.total_bytes_max};
}

KvLimits kv_limits(const Config& config) {
  return {.entries_max = config.kv.entries_max, .bytes_max = config.kv.bytes_max};
}

OnceLimits once_limits(const Config& config) {
  const OperationsSection& from = config.operations;
  return {.ttl = from.ttl, .lease = from.lease, .entries_max = from.entries_max, .bytes_max = from.bytes_max};
}

Result<std::unique_ptr<store::Engine>> open_store(const Config& config, const Clock& clock, Log log) {
  const StoreSection& from = config.store;
  if (from.engine == StoreSection::Engine::kMemory) return std::make_unique<store::MemoryEngine>(clock, from.bytes_max);
  const std::filesystem::path file = config.server.data_dir / from.path;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) return fail(Code::kStoreFailed, file.parent_path().string() + ": " + error.message());
  return store::DurableEngine::open({.file = file, .bytes_max = from.bytes_max}, clock, log);
}

host::ReloadBounds reload_bounds(const Config& config) {
  const ScriptsSection& from = config.scripts;
  return {
      // Longer than a load may take, so that a slow script is named by its own limit.
      .answer_timeout = 2 * from.load_timeout,
      .pause_max = from.pause_max,
      .probation = {.duration = from.probation,
                    .errors = from.rollback_errors,
                    .error_ratio = static_cast<double>(from.rollback_factor),
                    .timeouts_max = from.rollback_timeouts},
  };
}

io::BusyPoll busy_poll_settings(const Config& config) {
  if (config.server.busy_poll == Duration::zero()) return {};
  return {.enabled = true, .spin = config.server.busy_poll};
}

io::UdpOptions udp_settings(const Config& config, const SocketAddress& bind, uint32_t workers) {
  return {
      .bind = bind,
      .reuse_port = workers > 1,
      .receive_buffer_bytes = config.server.receive_buffer,
      .send_buffer_bytes = config.server.send_buffer,
  };
}

uint32_t worker_count(const Config& config) {
  if (config.server.workers > 0) return static_cast<uint32_t>(config.server.workers);
  return std::max(1u, std::thread::hardware_concurrency());
}

size_t work_threads(const Config& config) {
  if (config.plugins.work_threads > 0) return config.plugins.work_threads;
  return 4 * std::max<size_t>(1, std::thread::hardware_concurrency());
}

Result<io::HttpPolicy> http_policy(const Config& config) {
  const ScriptsSection& from = config.scripts;
  auto policy = io::HttpPolicy::create(from.http_allow, from.http_private, from.http_requests_max);
  if (policy) return policy;
  return fail(Code::kConfigInvalid, "scripts.http_allow, scripts.http_private: " + policy.error().text);
}

Result<io::OwnHttpPolicies> own_http_policies(const Config& config) {
  io::OwnHttpPolicies own;
  for (const auto& [name, app] : config.apps) {
    if (!app.http_allow) continue;
    auto policy =
        io::HttpPolicy::create(*app.http_allow, config.scripts.http_private, config.scripts.http_requests_max);
    if (!policy) return fail(Code::kConfigInvalid, "app." + name + ".http_allow: " + policy.error().text);
    own.emplace(name, std::move(*policy));
  }
  return own;
}

Result<std::vector<SocketAddress>> listen_addresses(const Config& config) {
  std::vector<SocketAddress> addresses;
  for (const std::string& text : config.server.listen) {
    auto address = SocketAddress::parse(text);
    if (!address) return tl::unexpected(Error{address.error().code, "server.listen: " + address.error().text});
    addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace godwit::app

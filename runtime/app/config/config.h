#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "host/app.h"
#include "host/plugin_settings.h"
#include "quic/config.h"
#include "session/config.h"

namespace godwit::app {

/// Everything an operator can set, as plain values. A member `config.SECTION.KEY` is the key `SECTION.KEY` of the file
/// (bytes and names of `quic` are spelled as in quic/config.h). The initializers here are the defaults: key_table.cpp
/// adds bounds, units, reload class and the sentence of documentation, and everything else is made from these two.
///
/// Paths are relative to the working directory of the process, not to the configuration file.
struct ServerSection {
  std::vector<std::string> listen = {"127.0.0.1:8453"};  ///< port 0 = any free
  uint64_t workers = 0;                                  ///< 0 = one per core
  std::filesystem::path data_dir = "data";
  Duration busy_poll = 0s;  ///< 0 = off
  Duration drain_timeout = 10s;
  uint64_t receive_buffer = 7 << 20;  ///< wanted of the kernel, per socket
  uint64_t send_buffer = 7 << 20;
};

struct TlsSection {
  using ClientAuth = quic::TlsServerConfig::ClientAuth;
  std::filesystem::path certificate;  ///< PEM chain; empty = none, which only `serve --dev` accepts
  std::filesystem::path key;
  std::filesystem::path client_ca;
  ClientAuth client_auth = ClientAuth::kNone;
  bool tickets = true;
};

struct QuicSection : quic::TransportConfig, quic::AdmissionConfig {};

struct SessionSection {
  Duration heartbeat_interval = 15s;
  uint64_t heartbeat_timeout_count = 3;
  Duration login_timeout = 5s;    ///< handshake to Hello
  uint64_t max_clients = 10'000;  ///< over all workers
  uint64_t outbox_messages_max = 1000;
  uint64_t outbox_bytes_max = 32 << 20;
  session::Overflow overflow = session::Overflow::kReject;
  uint64_t holdback_messages_max = 1000;
  uint64_t holdback_bytes_max = 32 << 20;
  Duration ack_delay = 25ms;
  uint64_t ack_every = 64;
  Duration ack_timeout = 30s;  ///< without any progress, times ack_retries: the connection ends
  uint64_t ack_retries = 3;
  Duration resume_window = 60s;  ///< a session is kept so long without a connection
  Duration idle_timeout = 5min;
  session::Activity activity = session::Activity::kAnything;
  bool durable = false;  ///< … and across the death of the process
};

struct MessageSection {
  uint64_t inline_max = 1 << 20;  ///< bytes of a body
  Duration default_timeout = 30s;
  uint64_t promise_max = 50'000;
  double promise_warn_ratio = 0.8;
  uint64_t arriving_bytes_max = 16 << 20;
  uint64_t dispatch_queue = 1000;
  uint64_t dispatch_queue_bytes_max = 64 << 20;
  Duration turn_budget = 20ms;
};

struct AuthSection {
  enum class Mode : uint8_t { kNone, kToken, kPlugin, kLua, kSigned } mode = Mode::kNone;
  // Read by tokens.h and identity_files.h.
  std::filesystem::path tokens_file;
  std::filesystem::path keys_file;
  std::filesystem::path rights_file;
  std::filesystem::path revoked_file;
};

/// When new files are loaded: as soon as they are there, or when somebody asks.
enum class ReloadWhen : uint8_t { kWatch, kManual };

struct ScriptsSection {
  std::vector<std::filesystem::path> paths = {"scripts"};
  ReloadWhen reload = ReloadWhen::kWatch;
  uint64_t memory_max = 64 << 20;
  Duration burst_max = 250ms;
  Duration load_timeout = 5s;
  Duration handler_timeout = 30s;
  Duration cpu_max = 1s;
  uint64_t coroutines_max = 10'000;
  Duration debounce = 300ms;
  Duration pause_max = 500ms;
  Duration probation = 30s;  ///< 0 = none
  uint64_t rollback_errors = 20;
  uint64_t rollback_factor = 5;
  uint64_t rollback_timeouts = 10;
  Duration drain_timeout = 30s;
  std::vector<std::string> http_allow;    ///< hosts that gw.http.request may ask
  std::vector<std::string> http_private;  ///< networks beyond the public ones
  uint64_t http_requests_max = 100;       ///< of one app at one time
};

/// [app.NAME], read by app_sections.h. Limits that are not named are those of [scripts].
struct AppSection {
  host::AppSettings settings;
  std::optional<uint64_t> memory_max;
  std::optional<Duration> burst_max;
  std::optional<Duration> load_timeout;
  std::optional<Duration> handler_timeout;
  std::optional<Duration> cpu_max;
  std::optional<uint64_t> coroutines_max;
  std::optional<std::vector<std::string>> http_allow;
  bool operator==(const AppSection&) const = default;
};

/// [plugins.NAME], read by plugin_sections.h.
struct PluginSection : host::PluginSettings {
  bool enabled = true;
  bool optional = false;  ///< the server starts without it when it cannot be loaded
  bool operator==(const PluginSection&) const = default;
};

struct PluginsSection {
  std::vector<std::filesystem::path> paths;
  ReloadWhen reload = ReloadWhen::kManual;
  Duration call_warn = 5ms;
  Duration call_max = 250ms;
  uint64_t pending_max = 10'000;  ///< deferred messages, per plugin and worker
  uint64_t work_threads = 0;      ///< 0: four for each core
  std::map<std::string, PluginSection> named;
};

struct KvSection {
  uint64_t entries_max = 100'000;  ///< of one app
  uint64_t bytes_max = 32 << 20;   ///< of one app
};

struct OfflineSection {
  Duration ttl = 3min;
  uint64_t messages_max = 100;
  uint64_t bytes_max = 1 << 20;
  uint64_t total_bytes_max = 64 << 20;
};

struct StoreSection {
  enum class Engine : uint8_t { kMemory, kDurable, kPlugin } engine = Engine::kMemory;
  std::filesystem::path path = "store.db";  ///< below server.data_dir
  std::string plugin;                       ///< that keeps it
  uint64_t bytes_max = 256 << 20;
};

struct OperationsSection {
  Duration ttl = 5min;
  Duration lease = 60s;
  uint64_t entries_max = 100'000;
  uint64_t bytes_max = 64 << 20;
};

struct AdminSection {
  std::string http = "127.0.0.1:8080";  ///< or "off"
  std::string socket;                   ///< path, or "off"; empty: admin.socket in server.data_dir
  bool eval = false;
};

struct LogSection {
  LogLevel level = LogLevel::kInfo;
  enum class Format : uint8_t { kText, kJson } format = Format::kText;
  std::filesystem::path file;  ///< empty = stderr
  uint64_t max_size = 3 << 20;
  uint64_t max_files = 5;
  std::map<std::string, LogLevel> modules;  ///< overrides `level` per module
};

struct Config {
  ServerSection server;
  TlsSection tls;
  QuicSection quic;
  SessionSection session;
  MessageSection message;
  AuthSection auth;
  ScriptsSection scripts;
  std::map<std::string, AppSection> apps;  ///< by name
  PluginsSection plugins;
  OfflineSection offline;
  KvSection kv;
  StoreSection store;
  OperationsSection operations;
  AdminSection admin;
  LogSection log;
};

}  // namespace godwit::app

#include "app/server.h"

#include <csignal>

#include "app/config/consistency.h"
#include "app/config/diff.h"
#include "app/config/host_check.h"
#include "app/plugin_quarantine.h"
#include "app/settings.h"
#include "io/http_client.h"
#include "io/steering.h"
#include "io/stop_guard.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

constexpr size_t kWorkWaitingMax = 10'000;  ///< work of plugins and scripts that waits for a thread

/// After the drain timeout: a worker that has not stopped by then never will.
constexpr Duration kStuckAfterDrain = 5s;

/// Which units decide who may come in; nullopt: the configuration does.
std::optional<host::UnitSource::Kind> authenticating(const Config& config) {
  switch (config.auth.mode) {
    case AuthSection::Mode::kPlugin: return host::UnitSource::Kind::kPlugin;
    case AuthSection::Mode::kLua: return host::UnitSource::Kind::kScript;
    case AuthSection::Mode::kNone:
    case AuthSection::Mode::kToken:
    case AuthSection::Mode::kSigned: break;
  }
  return std::nullopt;
}

std::string joined(const std::vector<SocketAddress>& addresses) {
  std::string text;
  for (const SocketAddress& address : addresses) text += (text.empty() ? "" : ",") + address.to_string();
  return text;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(ServerOptions options, io::SystemLogSink& sink) {
  auto server = std::unique_ptr<Server>(new Server(std::move(options), sink));
  if (const Status opened = server->open(); !opened) return tl::unexpected(opened.error());
  return server;
}

Server::Server(ServerOptions options, io::SystemLogSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      log_(sink, "server"),
      config_(options_.loaded.config),
      directory_(clock_, offline_limits(config_)) {}

Server::~Server() {
  for (const auto& worker : workers_) worker->stop();
  for (std::thread& thread : threads_) thread.join();
}

Status Server::open() {
  warn();
  sessions_ = std::make_unique<SharedCap>(config_.session.max_clients);
  kv_ = std::make_unique<MemoryKvStore>(clock_, kv_limits(config_));
  if (Status store = open_store(); !store) return store;
  metrics_ = std::make_unique<MetricStore>(worker_count(config_));
  auto policy = http_policy(config_);
  if (!policy) return tl::unexpected(std::move(policy.error()));
  auto own_policies = own_http_policies(config_);
  if (!own_policies) return tl::unexpected(std::move(own_policies.error()));
  http_ = std::make_unique<io::SystemHttpClient>(std::move(*policy), std::move(*own_policies));
  pool_ = std::make_unique<io::ThreadPool>(work_threads(config_), kWorkWaitingMax);
  if (Status keys = open_keys(); !keys) return keys;
  if (Status identity = open_identity(); !identity) return identity;
  if (Status report = open_crash_report(); !report) return report;
  if (Status workers = open_workers(); !workers) return workers;
  auto scripts = ServerScripts::create(config_, workers_, log_.named("scripts"));
  if (!scripts) return tl::unexpected(std::move(scripts.error()));
  scripts_ = std::move(*scripts);
  if (authenticating(config_) && workers_.front()->apps().authenticator().empty()) {
    log_.warn("nobody can come in: auth.mode asks for what is not there");
  }
  if (!workers_.front()->apps().keeps_store()) {
    return fail(Code::kConfigInvalid, "store.plugin: no plugin named '" + config_.store.plugin +
                                          "' that keeps a store is live; plugins.paths says where it is");
  }
  if (Status restored = restore_sessions(); !restored) return restored;
  return open_listeners();
}

/// What an earlier process sealed can be opened where there is something to go on with.
Status Server::open_keys() {
  if (!config_.session.durable) return {};
  kept_keys_.emplace(keys_, config_.server.data_dir / "seal.keys");
  auto lasts = kept_keys_->open(io::wall_clock_us());
  if (!lasts) return tl::unexpected(std::move(lasts.error()));
  key_lasts_ = *lasts;
  return {};
}

/// Behind the scripts, which hear of them like of all sessions.
Status Server::restore_sessions() {
  if (!config_.session.durable) return {};
  auto restored = DurableBook::read(*store_, log_.named("durable"));
  if (!restored) return tl::unexpected(std::move(restored.error()));
  for (DurableBook::Restored& one : *restored) {
    workers_[one.session.worker % workers_.size()]->core().restore(std::move(one));
  }
  if (!restored->empty()) log_.info("sessions restored", {{"sessions", restored->size()}});
  return {};
}

Status Server::open_store() {
  if (config_.store.engine == StoreSection::Engine::kPlugin) {
    auto engine = std::make_unique<UnitEngine>("plugin/" + config_.store.plugin);
    store_of_unit_ = engine.get();
    store_ = std::move(engine);
    once_ = std::make_unique<OnceBook>(once_limits(config_));
    return {};
  }
  auto store = app::open_store(config_, clock_, log_.named("store"));
  if (!store) return tl::unexpected(std::move(store.error()));
  store_ = std::move(*store);
  once_ = std::make_unique<OnceBook>(once_limits(config_));
  return read_once(*store_, *once_, clock_.now());
}

Status Server::open_identity() {
  auto tls = load_server_tls(config_, options_.missing_certificate, keys_, io::wall_clock_us(), log_);
  if (!tls) return tl::unexpected(std::move(tls.error()));
  tls_ = std::move(*tls);
  auto identities = IdentityKeeper::open(config_, clock_);
  if (!identities) return tl::unexpected(std::move(identities.error()));
  identities_ = std::move(*identities);
  return {};
}

/// Whose code ran in a crash is said; of plugins it is also kept.
Status Server::open_crash_report() {
  std::filesystem::path records;
  if (!config_.plugins.paths.empty()) {
    std::error_code error;
    std::filesystem::create_directories(config_.server.data_dir, error);
    records = crash_records(config_.server.data_dir);
  }
  auto report = CrashReport::install(records);
  if (!report) return fail(report.error().code, "server.data_dir: " + report.error().text);
  crash_report_ = std::move(*report);
  return {};
}

Status Server::open_workers() {
  auto addresses = listen_addresses(config_);
  if (!addresses) return tl::unexpected(std::move(addresses.error()));
  quic::EndpointSecrets secrets;
  entropy_.fill(secrets.stateless_reset_key);
  entropy_.fill(secrets.token_key);
  const uint32_t count = worker_count(config_);
  const std::shared_ptr<host::Watchdog> watchdog = host::make_watchdog();
  // Room for 256 workers below each microsecond.
  const uint64_t first_durable_id = config_.session.durable ? static_cast<uint64_t>(io::wall_clock_us()) << 8 : 0;
  for (uint32_t index = 0; index < count; ++index) {
    WorkerOptions options{
        .index = index, .count = count, .busy_poll = busy_poll_settings(config_), .core = core_settings(config_)};
    for (const SocketAddress& address : *addresses) options.sockets.push_back(udp_settings(config_, address, count));
    options.endpoint = {.transport = config_.quic,
                        .admission = config_.quic,
                        .tls_server = tls_,
                        .secrets = secrets,
                        .worker_index = index,
                        .worker_count = count};
    auto worker = Worker::create(
        std::move(options), {log_, *sessions_, identities_->authenticator(), identities_->revocations(),
                             identities_->rights(), keys_, watchdog, directory_, *kv_, *store_, store_of_unit_, *once_,
                             first_durable_id, *metrics_, *http_, pool_.get(), authenticating(config_)});
    if (!worker) return tl::unexpected(std::move(worker.error()));
    // The first worker finds free ports where port 0 was asked for; the others share them.
    if (index == 0) *addresses = (*worker)->addresses();
    workers_.push_back(std::move(*worker));
  }
  connect_workers();
  return count > 1 ? steer() : Status{};
}

void Server::connect_workers() {
  for (const auto& from : workers_) {
    for (const auto& to : workers_) from->services().connect(to->index(), to->loop(), to->services());
  }
}

Status Server::steer() {
  for (size_t listener = 0; listener < config_.server.listen.size(); ++listener) {
    const Status steered = io::steer_by_connection_id(workers_.front()->descriptor(listener), workers_.size());
    if (!steered) return fail(steered.error().code, steered.error().text + "; server.workers = 1 does without");
  }
  return {};
}

Status Server::open_listeners() {
  io::Loop& loop = workers_.front()->loop();
  auto admin = ServerAdmin::create(config_, {workers_, *scripts_, *metrics_, *store_, *once_, *pool_, sink_}, loop);
  if (!admin) return tl::unexpected(std::move(admin.error()));
  admin_ = std::move(*admin);
  operated_sessions_ = std::make_unique<ServerSessions>(directory_, *identities_, workers_, log_.named("admin"));
  auto control = ServerControl::open(
      config_, *scripts_, *operated_sessions_, [this] { return reload_config(); }, loop, log_.named("admin"));
  if (!control) return tl::unexpected(std::move(control.error()));
  control_ = std::move(*control);
  key_rotation_timer_.emplace([this](Timestamp) { rotate_keys(); });
  loop.timers().arm(*key_rotation_timer_, loop.now() + key_lasts_);
  if (auto folders = watched_folders(config_); !folders.empty()) {
    unit_watcher_ = std::make_unique<io::FileWatcher>(
        loop, std::move(folders), io::FileWatchOptions{.debounce = config_.scripts.debounce},
        [this] { (void)scripts_->reload_all(host::Reloads::Trigger::kFilesChanged); });
  }
  return {};
}

void Server::warn() const {
  for (const Warning& warning : check_consistency(config_)) {
    log_.warn("settings contradict each other", {{"what", warning.text}, {"advice", warning.advice}});
  }
  for (const Warning& warning : check_host(config_, read_host_facts())) {
    log_.warn("the host gives less than wanted", {{"what", warning.text}, {"advice", warning.advice}});
  }
}

std::string Server::ready_line() const {
  std::string line = "godwit ready quic=" + joined(workers_.front()->addresses());
  line += " admin=" + admin_->address();
  return line + " workers=" + std::to_string(workers_.size());
}

void Server::run() {
  admin_->set_state(admin::ServerState::kServing);
  for (size_t i = 1; i < workers_.size(); ++i) {
    threads_.emplace_back([worker = workers_[i].get()] {
      const CrashStack stack;
      worker->run();
    });
  }
  const CrashStack stack;
  scripts_->workers_run();
  {
    const io::StopGuard guard(
        config_.server.drain_timeout + kStuckAfterDrain, [this](int signal) { pass_on(signal); },
        [this] { log_.error("a worker is stuck: the server ends without it"), sink_.flush(); });
    workers_.front()->run();
    for (std::thread& thread : threads_) thread.join();
  }
  threads_.clear();
  unit_watcher_.reset();
  key_rotation_timer_.reset();
  control_.reset();
  admin_.reset();
}

/// From the guard's thread.
void Server::pass_on(int signal) {
  if (!workers_.front()->loop().post([this, signal] { on_signal(signal); }))
    log_.error("a signal was lost: the first worker takes nothing any more", {{"signal", signal}});
}

void Server::on_signal(int signal) {
  if (signal == SIGHUP) {
    (void)reload_config();
    (void)scripts_->reload_all(host::Reloads::Trigger::kFilesChanged);  // what failed is in the log
    return;
  }
  log_.info("stopping", {{"signal", signal}});
  // A second signal means that somebody does not want to wait.
  if (std::exchange(stopping_, true)) return stop_now();
  begin_drain();
}

void Server::rotate_keys() {
  const Status kept = kept_keys_ ? kept_keys_->rotate(io::wall_clock_us()) : (keys_.rotate(), Status());
  if (!kept) log_.error("a restart will not know the newest key", {{"error", kept.error().text}});
  io::Loop& loop = workers_.front()->loop();
  loop.timers().arm(*key_rotation_timer_, loop.now() + KeptKeys::kRotation);
}

void Server::begin_drain() {
  admin_->set_state(admin::ServerState::kDraining);
  draining_ = workers_.size();
  const Timestamp deadline = io::monotonic_now() + config_.server.drain_timeout;
  for (const auto& worker : workers_) {
    Worker* one = worker.get();
    const bool posted = one->loop().post([this, one, deadline] {
      one->drain(deadline, [this] {
        if (!workers_.front()->loop().post([this] { on_worker_drained(); }))
          log_.error("a drained worker could not say so");
      });
    });
    if (!posted) on_worker_drained();  // its mailbox is full or closed: nothing in flight can be waited for
  }
}

/// Clients hear that it is over, and nothing is waited for.
void Server::stop_now() {
  for (const auto& worker : workers_) {
    Worker* one = worker.get();
    const bool posted = one->loop().post([one] {
      one->abandon();
      one->stop();
    });
    if (!posted) one->stop();
  }
}

void Server::on_worker_drained() {
  if (--draining_ > 0) return;
  for (const auto& worker : workers_) worker->stop();
}

Status Server::reload_config() {
  auto loaded = load_config(options_.sources);
  admin_->set_config_reload(loaded ? std::string() : loaded.error().front().to_string(), io::wall_clock_us());
  if (!loaded) {
    for (const Error& error : loaded.error())
      log_.error("configuration not reloaded", {{"code", error.code}, {"error", error.text}});
    return tl::unexpected(loaded.error().front());
  }
  const ConfigDiff diff = diff_configs(config_, loaded->config);
  const auto report = [this](std::string_view outcome, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      log_.info(outcome, {{"key", change.key->full_name()}, {"before", change.before}, {"after", change.after}});
    }
  };
  report("configuration applied", diff.applied);
  report("configuration applied to new connections", diff.for_new_connections);
  report("configuration needs a restart", diff.needs_restart);
  apply(after_reload(config_, loaded->config));
  return {};
}

void Server::apply(const Config& wanted) {
  config_ = wanted;
  scripts_->configure(config_);
  control_->configure(config_);
  sink_.set_levels(config_.log.level, config_.log.modules);
  sessions_->set_bound(config_.session.max_clients);
  identities_->reload(config_, log_);
  operated_sessions_->end_revoked();
  const Status asked = http_policy(config_).and_then([this](io::HttpPolicy policy) {
    return own_http_policies(config_).map([&](auto own) { http_->configure(std::move(policy), std::move(own)); });
  });
  if (!asked) log_.error("scripts may send requests where they could before", {{"error", asked.error().text}});
  auto tls = load_server_tls(config_, options_.missing_certificate, keys_, io::wall_clock_us(), log_);
  admin_->set_certificate_complaint(tls ? std::string() : tls.error().to_string());
  if (tls) {
    tls_ = std::move(*tls);
  } else {
    log_.error("certificate not reloaded, the old one stays",
               {{"code", tls.error().code}, {"error", tls.error().text}});
  }
  for (const auto& worker : workers_) {
    Worker* one = worker.get();
    const bool posted = one->loop().post([one, config = config_, tls = tls_] {
      one->core().reconfigure(core_settings(config));
      one->core().endpoint().reconfigure(config.quic, config.quic, tls);
    });
    if (!posted) log_.error("a worker's mailbox is full; it keeps its settings", {{"worker", one->index()}});
  }
}

}  // namespace godwit::app

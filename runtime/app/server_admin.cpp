#include "app/server_admin.h"

#include "base/version.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

admin::StoreFacts store_facts(const store::Engine& store, const OnceBook& once) {
  const store::EngineCounters& from = store.counters();
  return {.applied = from.batches,
          .conflicts = from.conflicts,
          .refused = from.refused,
          .failures = from.failures,
          .commits = from.commits,
          .waiting = from.waiting,
          .bytes = from.bytes,
          .operations = once.entries(),
          .operation_bytes = once.bytes()};
}

admin::PoolFacts pool_facts(const io::ThreadPool& pool) {
  io::ThreadPool::Facts facts = pool.facts();
  return {.tasks = facts.tasks, .done = facts.done, .rejected = facts.rejected, .seconds = facts.seconds};
}

}  // namespace

Result<std::unique_ptr<ServerAdmin>> ServerAdmin::create(const Config& config, const Parts& parts, io::Loop& loop) {
  auto admin = std::unique_ptr<ServerAdmin>(new ServerAdmin(config, parts));
  if (config.admin.http == "off") return admin;
  const auto address = SocketAddress::parse(config.admin.http);
  if (!address) return fail(address.error().code, "admin.http: " + address.error().text);
  const Log log(parts.sink, "admin");
  auto http = admin::AdminServer::start(*address, *admin, loop, log);
  if (!http) return fail(http.error().code, "admin.http: " + http.error().text);
  admin->http_ = std::move(*http);
  auto watcher = io::PollWatcher::watch(loop, admin->http_->fd(), [one = admin.get()] { one->http_->run(); });
  if (!watcher) return tl::unexpected(std::move(watcher.error()));
  admin->watcher_ = std::move(*watcher);
  return admin;
}

ServerAdmin::ServerAdmin(const Config& config, const Parts& parts)
    : config_(config), parts_(parts), started_unix_us_(io::wall_clock_us()) {}

ServerAdmin::~ServerAdmin() = default;

std::string ServerAdmin::address() const { return http_ ? http_->address().to_string() : "off"; }

std::vector<admin::WorkerView> ServerAdmin::workers() const {
  std::vector<admin::WorkerView> views;
  for (const auto& worker : parts_.workers) {
    admin::WorkerView view{.metrics = &worker->metrics(), .last_beat = from_ns(worker->last_beat_ns())};
    for (size_t i = 0; i < worker->addresses().size(); ++i) {
      const io::UdpCounts& counts = worker->socket(i).counts();
      view.datagrams_lost += counts.datagrams_lost.value();
      view.datagrams_bad += counts.datagrams_bad.value();
      view.sends_blocked += counts.blocked.value();
    }
    view.recipients_in_groups = worker->services().recipients_in_groups();
    view.recipients_everywhere = worker->services().recipients_everywhere();
    view.generations = worker->apps().published_generations();
    views.push_back(view);
  }
  return views;
}

std::vector<admin::AppView> ServerAdmin::apps() const { return parts_.scripts.views(); }

std::vector<admin::AppReloads> ServerAdmin::app_reloads() const { return parts_.scripts.reloads(); }

std::vector<transfer::StrategyView> ServerAdmin::strategies() const {
  std::vector<transfer::StrategyView> views;
  for (const auto& worker : parts_.workers) {
    for (transfer::StrategyView& view : worker->apps().planner().views()) views.push_back(std::move(view));
  }
  return views;
}

void ServerAdmin::set_config_reload(std::string complaint, int64_t unix_us) {
  config_reload_ = {unix_us, complaint.empty()};
  config_complaint_ = std::move(complaint);
}

std::string ServerAdmin::complaint() const {
  std::string all;
  for (const std::string& one : {config_complaint_, certificate_complaint_, parts_.scripts.complaint()}) {
    if (!one.empty()) all += (all.empty() ? "" : "; ") + one;
  }
  return all;
}

admin::ServerFacts ServerAdmin::facts() const {
  admin::ServerFacts facts{
      .state = state_,
      .degraded = complaint(),
      .version = std::string(kVersion),
      .luajit = std::string(host::lua_version()),
      .protocol = "godwit/1",
      .started_unix_us = started_unix_us_,
      .dispatch_queue_max = config_.message.dispatch_queue,
      .promises_max = config_.message.promise_max,
      .config_reload = config_reload_,
      .log_lines_dropped = parts_.sink.dropped(),
      .store = store_facts(parts_.store, parts_.once),
      .pool = pool_facts(parts_.pool),
  };
  for (const SocketAddress& address : parts_.workers.front()->addresses()) facts.listen.push_back(address.to_string());
  for (size_t level = 0; level < facts.log_records.size(); ++level) {
    facts.log_records[level] = parts_.sink.count(static_cast<LogLevel>(level));
  }
  return facts;
}

}  // namespace godwit::app

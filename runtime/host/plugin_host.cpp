#include "host/plugin_host.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/version.h"
#include "host/plugin_views.h"
#include "routing/pattern.h"

namespace godwit::host {
namespace {

constexpr size_t kRegistrationsMax = 1024;
constexpr size_t kLogFieldsMax = 16;
constexpr gw_status kAuthCodesEnd = 7000;  ///< of the registry

std::shared_ptr<const PluginLabel> label_of(const PluginSource& source, uint32_t generation) {
  return std::make_shared<const PluginLabel>(
      PluginLabel{fmt::format("{}@{}", source.unit_name(), generation),
                  fmt::format("{} {}", source.file.info.name, to_hex(source.file.digest).substr(0, 16))});
}

}  // namespace

PluginHost::PluginHost(const PluginSource& source, std::shared_ptr<const PluginLibrary> library, uint32_t generation,
                       const AppLimits& limits, AppWorld world)
    : source_(source),
      wait_max_(limits.handler_timeout),
      world_(std::move(world)),
      log_(world_.log.named("plugin")),
      label_(label_of(source, generation)),
      face_{},
      metrics_(world_.metrics, source.unit_name(), world_.worker_index),
      deferred_(world_.timers, source.settings.pending_max),
      tasks_({world_.clock, world_.timers, world_.mailbox, world_.pool}, std::move(library), label_) {
  const PluginTables& tables = plugin_tables();
  const PluginServiceTables& services = plugin_service_tables();
  face_.owner = this;
  face_.host = {.struct_size = sizeof(gw_host),
                .abi_major = GW_ABI_MAJOR,
                .abi_minor = GW_ABI_MINOR,
                .worker = world_.worker_index,
                .worker_count = world_.worker_count,
                .generation = generation,
                .server_version = plain(kAgentName),
                .core = &tables.core,
                .config = &tables.config,
                .handlers = &tables.handlers,
                .messages = &tables.messages,
                .sessions = world_.services ? &services.sessions : nullptr,
                .groups = world_.services ? &services.groups : nullptr,
                .timers = &tables.timers,
                .threads = world_.mailbox && world_.pool ? &tables.threads : nullptr,
                .metrics = &tables.metrics,
                .kv = world_.kv ? &services.kv : nullptr,
                .state = &tables.state,
                .logins = &plugin_logins_table()};
}

PluginHost& PluginHost::of(const gw_host* host) { return *reinterpret_cast<const Face*>(host)->owner; }

PluginHost::Entry::Entry(PluginHost& host, Stage stage, ReplySink* sink)
    : host_(host), outer_stage_(host.stage_), outer_sink_(host.sink_), running_(*host.label_, &host) {
  host.stage_ = stage;
  host.sink_ = sink;
}

PluginHost::Entry::~Entry() {
  host_.stage_ = outer_stage_;
  host_.sink_ = outer_sink_;
}

bool PluginHost::entered() {
  if (RunningPlugin::instance() == this) return true;
  count_failure();
  return false;
}

void PluginHost::log(int level, std::string_view message, std::span<const gw_log_field> given) const {
  static constexpr LogLevel kLevels[] = {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn,
                                         LogLevel::kError};
  const LogLevel wanted = level >= GW_LOG_TRACE && level <= GW_LOG_ERROR ? kLevels[level] : LogLevel::kError;
  if (!log_.enabled(wanted)) return;
  std::vector<LogField> fields{{"plugin", label_->name}};
  for (const gw_log_field& field : given.first(std::min(given.size(), kLogFieldsMax)))
    fields.emplace_back(view(field.key), view(field.value));
  log_.write(wanted, message, fields);
}

const PluginValue* PluginHost::value(std::string_view key) const {
  const auto found = source_.settings.values.find(std::string(key));
  return found == source_.settings.values.end() ? nullptr : &found->second;
}

Error PluginHost::refusal_of(gw_status status) {
  if (status == GW_ERROR_NOT_FOUND) return {Code::kNotFound, {}};
  if (status >= GW_ERROR_UNAUTHENTICATED && status < kAuthCodesEnd) return {static_cast<Code>(status), "not admitted"};
  count_failure();
  if (const auto held_back = failed_logins_logged_.pass(std::to_string(status), world_.clock.now())) {
    log_.error("plugin failed to decide who may come in",
               {{"plugin", label_->name}, {"status", status}, {"held_back", *held_back}});
  }
  return {Code::kUnauthenticated, "not admitted"};
}

gw_status PluginHost::bind(std::string_view pattern, uint32_t flags, uint32_t& handler) {
  if (stage_ != Stage::kCreating) return GW_ERROR_NOT_NOW;
  if (registrations_.size() >= kRegistrationsMax) return GW_ERROR_LIMIT;
  if (!routing::Pattern::parse(pattern)) return GW_ERROR_PATTERN_INVALID;
  handler = static_cast<uint32_t>(registrations_.size());
  Registration registration{std::string(pattern), source_.file.path.filename().string()};
  if (flags & GW_BIND_IDEMPOTENT) {
    registration.once = flags & GW_BIND_AGAIN ? OnceOptions::BrokenOff::kAgain : OnceOptions::BrokenOff::kUnknown;
  }
  registrations_.push_back(std::move(registration));
  return GW_OK;
}

gw_status PluginHost::settle(Ticket ticket, ReplyOutcome outcome) {
  const bool over = outcome == ReplyOutcome::kAccepted || outcome == ReplyOutcome::kQueueFull;
  if (over || outcome == ReplyOutcome::kStale) deferred_.settle(ticket);
  if (over && ticket.bits == current_.bits) current_ = {};
  switch (outcome) {
    case ReplyOutcome::kAccepted: return GW_OK;
    case ReplyOutcome::kStale: return GW_ERROR_STALE;
    case ReplyOutcome::kNotExpected: return GW_ERROR_REPLY_NOT_EXPECTED;
    case ReplyOutcome::kTooLarge: return GW_ERROR_MESSAGE_TOO_LARGE;
    case ReplyOutcome::kQueueFull: return GW_ERROR_QUEUE_FULL;
  }
  return GW_ERROR_PLUGIN_FAILED;
}

gw_status PluginHost::defer(Ticket ticket, uint32_t flags) {
  if (!ticket || ticket.bits != current_.bits || !sink_) return GW_ERROR_STALE;
  if (!deferred_.add(ticket, std::min(deadline_, world_.clock.now() + wait_max_))) return GW_ERROR_LIMIT;
  sink_->suspend(ticket, (flags & GW_DEFER_UNORDERED) == 0);
  current_ = {};
  return GW_OK;
}

gw_status PluginHost::declare(int type, std::string_view name, std::string_view help, uint32_t& metric) {
  if (stage_ != Stage::kCreating) return GW_ERROR_NOT_NOW;
  if (type != GW_METRIC_COUNTER && type != GW_METRIC_GAUGE) return GW_ERROR_ARGUMENT_INVALID;
  const auto number = metrics_.declare({type == GW_METRIC_COUNTER ? MetricType::kCounter : MetricType::kGauge,
                                        std::string(name),
                                        std::string(help),
                                        {},
                                        {}});
  if (!number) {
    log_.error("metric refused", {{"plugin", label_->name}, {"metric", name}, {"why", number.error().text}});
    return number.error().code == Code::kLimitReached ? GW_ERROR_LIMIT : GW_ERROR_ARGUMENT_INVALID;
  }
  metric = *number;
  return GW_OK;
}

gw_status PluginHost::write(Bytes bytes) {
  if (stage_ != Stage::kSaving) return GW_ERROR_NOT_NOW;
  if (bytes.size() > kStateBytesMax - state_.size()) return GW_ERROR_LIMIT;
  state_.append(as_text(bytes));
  return GW_OK;
}

}  // namespace godwit::host

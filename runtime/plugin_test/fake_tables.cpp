#include <cstdlib>

#include "plugin_test/fake_host.h"
#include "plugin_test/fake_views.h"

namespace godwit::plugin_test {
namespace {

constexpr size_t kHandlersMax = 1024;
constexpr size_t kMetricsMax = 64;
constexpr size_t kHeadersMax = 64;
constexpr size_t kUidBytesMax = 128;
constexpr size_t kStateBytesMax = 1 << 20;

gw_value to_value(const FakeHost::Value& value) {
  gw_value out{};
  if (const auto* text = std::get_if<std::string>(&value)) {
    out.type = GW_VALUE_TEXT;
    out.text = plain(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    out.type = GW_VALUE_INTEGER;
    out.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&value)) {
    out.type = GW_VALUE_REAL;
    out.real = *real;
  } else {
    out.type = GW_VALUE_BOOLEAN;
    out.boolean = std::get<bool>(value);
  }
  return out;
}

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kDurations[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                               {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
constexpr Unit kSizes[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776}};

/// A number and its unit; negative: it is none.
template <size_t count>
double parse(std::string_view text, const Unit (&units)[count]) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  for (const Unit& unit : units) {
    if (end != copy.c_str() && unit.name == end && number >= 0) return number * unit.factor;
  }
  return -1;
}

// core
void log(const gw_host* host, int level, gw_text message, const gw_log_field* fields, size_t count) {
  static constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error"};
  std::string line = level >= GW_LOG_TRACE && level <= GW_LOG_ERROR ? kLevels[level] : "error";
  line.append(" ").append(view(message));
  for (size_t i = 0; i < count; ++i)
    line.append(" ").append(view(fields[i].key)).append("=").append(view(fields[i].value));
  FakeHost::of(host).lines.push_back(std::move(line));
}
bool log_enabled(const gw_host*, int) { return true; }
int64_t now(const gw_host* host) { return FakeHost::of(host).entered() ? FakeHost::of(host).now_ns : 0; }
int64_t unix_us(const gw_host* host) {
  constexpr int64_t kBegin = 1'700'000'000'000'000;
  return FakeHost::of(host).entered() ? kBegin + FakeHost::of(host).now_ns / 1000 : 0;
}

// config
gw_status get(const gw_host* host, gw_text key, gw_value* out) {
  if (!is_sound(key) || !out) return GW_ERROR_ARGUMENT_INVALID;
  const auto& values = FakeHost::of(host).values;
  const auto found = values.find(std::string(view(key)));
  if (found == values.end()) return GW_ERROR_NOT_FOUND;
  *out = to_value(found->second);
  return GW_OK;
}
template <typename Out, size_t count>
gw_status parsed(const gw_host* host, gw_text key, const Unit (&units)[count], Out* out) {
  gw_value value;
  if (const gw_status status = get(host, key, &value); status != GW_OK) return status;
  const double number = value.type == GW_VALUE_TEXT ? parse(view(value.text), units) : -1;
  if (number < 0 || !out) return GW_ERROR_ARGUMENT_INVALID;
  *out = static_cast<Out>(number);
  return GW_OK;
}
gw_status duration_ns(const gw_host* host, gw_text key, int64_t* out) { return parsed(host, key, kDurations, out); }
gw_status size_bytes(const gw_host* host, gw_text key, uint64_t* out) { return parsed(host, key, kSizes, out); }
size_t count(const gw_host* host) { return FakeHost::of(host).values.size(); }
gw_status at(const gw_host* host, size_t index, gw_text* key, gw_value* out) {
  const auto& values = FakeHost::of(host).values;
  if (index >= values.size()) return GW_ERROR_NOT_FOUND;
  const auto entry = std::next(values.begin(), static_cast<std::ptrdiff_t>(index));
  *key = plain(entry->first);
  *out = to_value(entry->second);
  return GW_OK;
}

// handlers
gw_status bind_pattern(const gw_host* host, gw_text pattern, uint32_t flags, uint32_t* handler) {
  FakeHost& self = FakeHost::of(host);
  if (self.stage() != FakeHost::Stage::kCreating) return GW_ERROR_NOT_NOW;
  if (!is_sound(pattern) || !handler) return GW_ERROR_ARGUMENT_INVALID;
  if (pattern.size == 0) return GW_ERROR_PATTERN_INVALID;
  if (self.patterns.size() >= kHandlersMax) return GW_ERROR_LIMIT;
  *handler = static_cast<uint32_t>(self.patterns.size());
  self.patterns.emplace_back(view(pattern));
  self.binding_flags.push_back(flags);
  return GW_OK;
}
gw_status bind(const gw_host* host, gw_text pattern, uint32_t* handler) {
  return bind_pattern(host, pattern, 0, handler);
}
gw_status bind_with(const gw_host* host, const gw_binding* binding, uint32_t* handler) {
  if (!GW_REACHES(gw_binding, binding, pattern)) return GW_ERROR_ARGUMENT_INVALID;
  const uint32_t flags = binding->flags;
  if (flags > (GW_BIND_IDEMPOTENT | GW_BIND_AGAIN) || flags == GW_BIND_AGAIN) return GW_ERROR_ARGUMENT_INVALID;
  return bind_pattern(host, binding->pattern, flags, handler);
}

// messages
gw_status reply(const gw_host* host, gw_ticket ticket, gw_bytes body, const gw_header* headers, uint32_t header_count) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!is_sound(body) || (header_count > 0 && !headers)) return GW_ERROR_ARGUMENT_INVALID;
  if (header_count > kHeadersMax) return GW_ERROR_HEADERS_INVALID;
  Verdict* verdict = self.find(ticket);
  if (!verdict) return GW_ERROR_STALE;
  if (verdict->is_event) return GW_ERROR_REPLY_NOT_EXPECTED;
  verdict->reply(view(body), headers, header_count);
  return GW_OK;
}
gw_status fail(const gw_host* host, gw_ticket ticket, gw_status status, gw_text text) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (status <= GW_OK || !is_sound(text)) return GW_ERROR_ARGUMENT_INVALID;
  Verdict* verdict = self.find(ticket);
  if (!verdict) return GW_ERROR_STALE;
  verdict->fail(status, view(text));
  return GW_OK;
}
gw_status defer(const gw_host* host, gw_ticket ticket, uint32_t) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  Verdict* verdict = self.find(ticket);
  if (!verdict) return GW_ERROR_STALE;
  verdict->face.outcome = GW_TEST_DEFERRED;
  return GW_OK;
}

gw_status notify(const gw_host* host, gw_ticket ticket, int place, const gw_outgoing* event) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (place != GW_BEFORE_RESPONSE && place != GW_AFTER_RESPONSE) return GW_ERROR_ARGUMENT_INVALID;
  if (!event || !is_sound(event->action) || event->action.size == 0) return GW_ERROR_ARGUMENT_INVALID;
  const bool late = place == GW_AFTER_RESPONSE && ticket != 0 && ticket == self.in_hand;
  if (!self.find(ticket) && !late) return GW_ERROR_STALE;
  const Verdict& of = *self.verdicts[ticket - 1];
  if (of.is_event) return GW_ERROR_REPLY_NOT_EXPECTED;
  self.world.keep(of.session, "", 0, GW_EVENT, *event).face.place = place;
  return GW_OK;
}

// timers
gw_status start(const gw_host* host, int64_t first_ns, int64_t every_ns, void (*fire)(void*, void*), void* argument,
                gw_timer* out) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (self.stage() == FakeHost::Stage::kCreating) return GW_ERROR_NOT_NOW;
  if (!fire || !out || first_ns < 0 || every_ns < 0) return GW_ERROR_ARGUMENT_INVALID;
  *out = self.start_timer(first_ns, every_ns, [&self, fire, argument] { fire(self.self, argument); });
  return GW_OK;
}
gw_status stop(const gw_host* host, gw_timer timer) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  return self.stop_timer(timer) ? GW_OK : GW_ERROR_STALE;
}

// threads: there is only one, so what would run elsewhere runs later
gw_status post(const gw_host* host, void (*run)(void*, void*), void* argument) {
  FakeHost& self = FakeHost::of(host);
  if (!run) return GW_ERROR_ARGUMENT_INVALID;
  self.posts.push_back([&self, run, argument] { run(self.self, argument); });
  return GW_OK;
}
gw_status work(const gw_host* host, void (*work)(void*), void (*after)(void*, void*), void* argument) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!work || !after) return GW_ERROR_ARGUMENT_INVALID;
  self.posts.push_back([&self, work, after, argument] {
    work(argument);
    after(self.self, argument);
  });
  return GW_OK;
}

// metrics
gw_status declare(const gw_host* host, int type, gw_text name, gw_text, uint32_t* metric) {
  FakeHost& self = FakeHost::of(host);
  if (self.stage() != FakeHost::Stage::kCreating) return GW_ERROR_NOT_NOW;
  if (!metric || (type != GW_METRIC_COUNTER && type != GW_METRIC_GAUGE)) return GW_ERROR_ARGUMENT_INVALID;
  if (self.metrics.size() >= kMetricsMax) return GW_ERROR_LIMIT;
  *metric = static_cast<uint32_t>(self.metrics.size());
  self.metrics.push_back({type, std::string(view(name))});
  return GW_OK;
}
void add(const gw_host* host, uint32_t metric, int64_t amount) {
  FakeHost& self = FakeHost::of(host);
  if (metric < self.metrics.size()) self.metrics[metric].value += amount;
}
void set(const gw_host* host, uint32_t metric, int64_t value) {
  FakeHost& self = FakeHost::of(host);
  if (metric < self.metrics.size()) self.metrics[metric].value = value;
}

// state
gw_status write(const gw_host* host, gw_bytes bytes) {
  FakeHost& self = FakeHost::of(host);
  if (self.stage() != FakeHost::Stage::kSaving) return GW_ERROR_NOT_NOW;
  if (!is_sound(bytes)) return GW_ERROR_ARGUMENT_INVALID;
  if (self.state.size() + bytes.size > kStateBytesMax) return GW_ERROR_LIMIT;
  self.state.append(view(bytes));
  return GW_OK;
}

// logins
gw_status defer_login(const gw_host* host, gw_login login) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!self.login.asked || self.login.number != login || self.login.deferred) return GW_ERROR_STALE;
  self.login.deferred = true;
  return GW_OK;
}
gw_status decide(FakeHost& self, gw_login login, gw_status status, std::string_view uid) {
  const bool open = self.login.number == login && self.login.deferred && self.now_ns < self.login.deadline_ns;
  if (!open) return GW_ERROR_STALE;
  self.login.deferred = false;
  self.login.status = status;
  self.login.uid = uid;
  return GW_OK;
}
gw_status admit(const gw_host* host, gw_login login, gw_text uid) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!is_sound(uid) || uid.size == 0 || uid.size > kUidBytesMax) return GW_ERROR_ARGUMENT_INVALID;
  return decide(self, login, GW_OK, view(uid));
}
gw_status refuse(const gw_host* host, gw_login login, gw_status status) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  return status == GW_OK ? GW_ERROR_ARGUMENT_INVALID : decide(self, login, status, {});
}

constexpr gw_logins_table kLogins = {
    .struct_size = sizeof(gw_logins_table), .defer = defer_login, .admit = admit, .refuse = refuse};
constexpr gw_core_table kCore = {
    .struct_size = sizeof(gw_core_table), .log = log, .log_enabled = log_enabled, .now = now, .unix_us = unix_us};
constexpr gw_config_table kConfig = {.struct_size = sizeof(gw_config_table),
                                     .get = get,
                                     .duration_ns = duration_ns,
                                     .size_bytes = size_bytes,
                                     .count = count,
                                     .at = at};
constexpr gw_handlers_table kHandlers = {
    .struct_size = sizeof(gw_handlers_table), .bind = bind, .bind_with = bind_with};
constexpr gw_messages_table kMessages = {
    .struct_size = sizeof(gw_messages_table), .reply = reply, .fail = fail, .defer = defer, .notify = notify};
constexpr gw_timers_table kTimers = {.struct_size = sizeof(gw_timers_table), .start = start, .stop = stop};
constexpr gw_threads_table kThreads = {.struct_size = sizeof(gw_threads_table), .post = post, .work = work};
constexpr gw_metrics_table kMetrics = {
    .struct_size = sizeof(gw_metrics_table), .declare = declare, .add = add, .set = set};
constexpr gw_state_table kState = {.struct_size = sizeof(gw_state_table), .write = write};

}  // namespace

void set_tables(gw_host& host) {
  host.core = &kCore;
  host.config = &kConfig;
  host.handlers = &kHandlers;
  host.messages = &kMessages;
  host.timers = &kTimers;
  host.threads = &kThreads;
  host.metrics = &kMetrics;
  host.state = &kState;
  host.logins = &kLogins;
  set_service_tables(host);
}

}  // namespace godwit::plugin_test

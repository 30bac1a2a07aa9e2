#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "base/units.h"
#include "host/plugin_host.h"
#include "host/plugin_sending.h"
#include "host/plugin_views.h"

namespace godwit::host {
namespace {

constexpr int64_t kWaitMaxNs = 366LL * 86'400 * 1'000'000'000;  ///< of a timer: a year

gw_value to_value(const PluginValue& value) {
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

}  // namespace

/// One short function per member of a table: checks where the call comes from and what it was given, and forwards.
struct PluginThunks {
  static void log(const gw_host* host, int level, gw_text message, const gw_log_field* fields, size_t count) {
    if (is_sound(message)) PluginHost::of(host).log(level, view(message), {fields, fields ? count : 0});
  }
  static bool log_enabled(const gw_host* host, int level) {
    const auto wanted = static_cast<LogLevel>(std::clamp<int>(level, GW_LOG_TRACE, GW_LOG_ERROR));
    return PluginHost::of(host).log_.enabled(wanted);
  }
  static int64_t now(const gw_host* host) {
    PluginHost& self = PluginHost::of(host);
    return self.entered() ? static_cast<int64_t>(to_ns(self.world_.clock.now())) : 0;
  }
  static int64_t unix_us(const gw_host* host) {
    PluginHost& self = PluginHost::of(host);
    return self.entered() ? self.world_.clock.unix_us() : 0;
  }

  static gw_status get(const gw_host* host, gw_text key, gw_value* out) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!is_sound(key) || !out) return GW_ERROR_ARGUMENT_INVALID;
    const PluginValue* value = self.value(view(key));
    if (!value) return GW_ERROR_NOT_FOUND;
    *out = to_value(*value);
    return GW_OK;
  }
  /// A text that `parse` turns into what is wanted.
  template <typename Parse, typename Out>
  static gw_status parsed(const gw_host* host, gw_text key, Parse parse, Out* out) {
    gw_value value;
    if (!out) return GW_ERROR_ARGUMENT_INVALID;
    if (const gw_status got = get(host, key, &value); got != GW_OK) return got;
    if (value.type != GW_VALUE_TEXT) return GW_ERROR_ARGUMENT_INVALID;
    const auto result = parse(view(value.text));
    if (!result) return GW_ERROR_ARGUMENT_INVALID;
    *out = static_cast<Out>(*result);
    return GW_OK;
  }
  static gw_status duration_ns(const gw_host* host, gw_text key, int64_t* out) {
    const auto parse = [](std::string_view text) {
      return parse_duration(text).map([](Duration value) { return value.count(); });
    };
    return parsed(host, key, parse, out);
  }
  static gw_status size_bytes(const gw_host* host, gw_text key, uint64_t* out) {
    return parsed(host, key, parse_bytes, out);
  }
  static size_t count(const gw_host* host) {
    PluginHost& self = PluginHost::of(host);
    return self.entered() ? self.source_.settings.values.size() : 0;
  }
  static gw_status at(const gw_host* host, size_t index, gw_text* key, gw_value* out) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!key || !out) return GW_ERROR_ARGUMENT_INVALID;
    const auto& values = self.source_.settings.values;
    if (index >= values.size()) return GW_ERROR_NOT_FOUND;
    const auto entry = std::next(values.begin(), static_cast<std::ptrdiff_t>(index));
    *key = plain(entry->first);
    *out = to_value(entry->second);
    return GW_OK;
  }

  static gw_status bind(const gw_host* host, gw_text pattern, uint32_t* handler) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!is_sound(pattern) || !handler) return GW_ERROR_ARGUMENT_INVALID;
    return self.bind(view(pattern), 0, *handler);
  }
  static gw_status bind_with(const gw_host* host, const gw_binding* binding, uint32_t* handler) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!GW_REACHES(gw_binding, binding, pattern) || !is_sound(binding->pattern) || !handler)
      return GW_ERROR_ARGUMENT_INVALID;
    const uint32_t flags = binding->flags;
    if (flags > (GW_BIND_IDEMPOTENT | GW_BIND_AGAIN) || flags == GW_BIND_AGAIN) return GW_ERROR_ARGUMENT_INVALID;
    return self.bind(view(binding->pattern), flags, *handler);
  }

  static gw_status reply(const gw_host* host, gw_ticket ticket, gw_bytes body, const gw_header* headers,
                         uint32_t count) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!self.sink_) return GW_ERROR_NOT_NOW;
    if (!is_sound(body) || (count > 0 && !headers)) return GW_ERROR_ARGUMENT_INVALID;
    if (count > limits::kHeadersMax) return GW_ERROR_HEADERS_INVALID;
    wire::Header given[limits::kHeadersMax];
    for (uint32_t i = 0; i < count; ++i) given[i] = {view(headers[i].name), view(headers[i].value)};
    return self.settle({ticket}, self.sink_->reply({ticket}, view(body), {given, count}));
  }
  static gw_status fail(const gw_host* host, gw_ticket ticket, gw_status status, gw_text text) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!self.sink_) return GW_ERROR_NOT_NOW;
    if (status <= GW_OK || status > UINT16_MAX || !is_sound(text)) return GW_ERROR_ARGUMENT_INVALID;
    const std::string_view words = view(text).substr(0, limits::kTextBytesMax);
    return self.settle({ticket}, self.sink_->fail({ticket}, static_cast<Code>(status), words));
  }
  static gw_status defer(const gw_host* host, gw_ticket ticket, uint32_t flags) {
    PluginHost& self = PluginHost::of(host);
    return self.entered() ? self.defer({ticket}, flags) : GW_ERROR_WRONG_THREAD;
  }

  static gw_status notify(const gw_host* host, gw_ticket ticket, int place, const gw_outgoing* event) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!self.sink_) return GW_ERROR_NOT_NOW;
    if (place != GW_BEFORE_RESPONSE && place != GW_AFTER_RESPONSE) return GW_ERROR_ARGUMENT_INVALID;
    Sending sending;
    if (const gw_status read = sending.read(event); read != GW_OK) return read;
    const bool in_hand = self.handled_ && self.handled_->ticket.bits == ticket;
    const Delivery of = in_hand ? *self.handled_ : Delivery{.ticket = {ticket}};
    const auto bound = place == GW_BEFORE_RESPONSE ? session::Bound::kBefore : session::Bound::kAfter;
    const Status sent = self.sink_->notify(of, bound, sending.message);
    return sent ? GW_OK : static_cast<gw_status>(sent.error().code);
  }

  static gw_status start(const gw_host* host, int64_t first_ns, int64_t every_ns, PluginTasks::Function fire,
                         void* argument, gw_timer* out) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (self.stage_ == PluginHost::Stage::kCreating) return GW_ERROR_NOT_NOW;
    if (!fire || !out || first_ns < 0 || every_ns < 0 || first_ns > kWaitMaxNs || every_ns > kWaitMaxNs)
      return GW_ERROR_ARGUMENT_INVALID;
    *out = self.tasks_.start_timer(Duration(first_ns), Duration(every_ns), fire, argument);
    return *out != 0 ? GW_OK : GW_ERROR_LIMIT;
  }
  static gw_status stop(const gw_host* host, gw_timer timer) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    return self.tasks_.stop_timer(timer) ? GW_OK : GW_ERROR_STALE;
  }

  static gw_status post(const gw_host* host, PluginTasks::Function run, void* argument) {
    if (!run) return GW_ERROR_ARGUMENT_INVALID;
    return PluginHost::of(host).tasks_.post(run, argument) ? GW_OK : GW_ERROR_QUEUE_FULL;
  }
  static gw_status work(const gw_host* host, void (*work)(void*), PluginTasks::Function after, void* argument) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (self.stage_ == PluginHost::Stage::kCreating) return GW_ERROR_NOT_NOW;
    if (!work || !after) return GW_ERROR_ARGUMENT_INVALID;
    return self.tasks_.work(work, after, argument) ? GW_OK : GW_ERROR_QUEUE_FULL;
  }

  static gw_status declare(const gw_host* host, int type, gw_text name, gw_text help, uint32_t* metric) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!is_sound(name) || !is_sound(help) || !metric) return GW_ERROR_ARGUMENT_INVALID;
    return self.declare(type, view(name), view(help), *metric);
  }
  static void add(const gw_host* host, uint32_t metric, int64_t amount) {
    PluginHost::of(host).metrics_.add(metric, amount);
  }
  static void set(const gw_host* host, uint32_t metric, int64_t value) {
    PluginHost::of(host).metrics_.set(metric, value);
  }

  static gw_status write(const gw_host* host, gw_bytes bytes) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!is_sound(bytes)) return GW_ERROR_ARGUMENT_INVALID;
    return self.write(view(bytes));
  }

  static constexpr PluginTables kTables = {
      .core = {sizeof(gw_core_table), log, log_enabled, now, unix_us},
      .config = {sizeof(gw_config_table), get, duration_ns, size_bytes, count, at},
      .handlers = {sizeof(gw_handlers_table), bind, bind_with},
      .messages = {sizeof(gw_messages_table), reply, fail, defer, notify},
      .timers = {sizeof(gw_timers_table), start, stop},
      .threads = {sizeof(gw_threads_table), post, work},
      .metrics = {sizeof(gw_metrics_table), declare, add, set},
      .state = {sizeof(gw_state_table), write},
  };
};

const PluginTables& plugin_tables() { return PluginThunks::kTables; }

}  // namespace godwit::host

#include <algorithm>
#include <cstring>

#include "host/plugin_host.h"
#include "host/plugin_sending.h"
#include "host/plugin_views.h"

namespace godwit::host {
namespace {

gw_status status_of(const Status& status) { return status ? GW_OK : static_cast<gw_status>(status.error().code); }

/// Apps keep numbers and truth values as well; plugins see bytes.
std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  const double number = std::get<double>(value);
  const auto whole = static_cast<int64_t>(std::clamp(number, -0x1p62, 0x1p62));
  return static_cast<double>(whole) == number ? std::to_string(whole) : std::to_string(number);
}

Value value_of(gw_bytes bytes) { return std::string(as_text(view(bytes))); }

}  // namespace

/// One short function per member of the tables for sessions, groups and named values: checks where the call comes from
/// and what it was given, and asks the server.
struct PluginServiceThunks {
  /// What only asks.
  static gw_status may_ask(PluginHost& self) { return self.entered() ? GW_OK : GW_ERROR_WRONG_THREAD; }
  /// What has effects: not for an instance that may never go live.
  static gw_status may_act(PluginHost& self) {
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    return self.stage_ == PluginHost::Stage::kRunning ? GW_OK : GW_ERROR_NOT_NOW;
  }
  template <typename... Given>
  static gw_status may_act(PluginHost& self, Given... given) {
    const gw_status may = may_act(self);
    return may == GW_OK && !(is_sound(given) && ...) ? GW_ERROR_ARGUMENT_INVALID : may;
  }

  static gw_status info(const gw_host* host, gw_session session, gw_session_info* out) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_ask(self); may != GW_OK) return may;
    if (!GW_REACHES(gw_session_info, out, session)) return GW_ERROR_ARGUMENT_INVALID;
    auto found = self.world_.services->session(session);
    if (!found) return GW_ERROR_STALE;
    self.info_ = std::move(*found);
    const gw_session_info told{.struct_size = out->struct_size,
                               .worker = self.info_.worker,
                               .session = session,
                               .connected_unix_us = self.info_.connected_unix_us,
                               .client_id = plain(self.info_.client_id),
                               .uid = plain(self.info_.uid),
                               .address = plain(self.info_.address)};
    std::memcpy(out, &told, std::min<size_t>(out->struct_size, sizeof told));
    return GW_OK;
  }

  /// `begin` is given the message and who hears of its end.
  template <typename Begin>
  static gw_status begin(const gw_host* host, const gw_outgoing* message, gw_on_reply done, void* argument,
                         Begin begin) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self); may != GW_OK) return may;
    Sending sending;
    if (const gw_status read = sending.read(message); read != GW_OK) return read;
    if (!done) return status_of(begin(*self.world_.services, sending.message, Completion()));
    const auto heard = self.tasks_.expect(done, argument);
    if (!heard) return GW_ERROR_LIMIT;
    const gw_status begun = status_of(begin(*self.world_.services, sending.message, heard->completion));
    if (begun != GW_OK) self.tasks_.forget(heard->id);
    return begun;
  }
  static gw_status send(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done,
                        void* argument) {
    return begin(host, message, done, argument,
                 [session](Services& services, const Outgoing& what, const Completion& heard) {
                   return services.send(session, what, heard);
                 });
  }
  static gw_status request(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done,
                           void* argument) {
    if (!done || !message || (message->kind != GW_COMMAND && message->kind != GW_QUERY))
      return GW_ERROR_ARGUMENT_INVALID;
    const wire::Kind kind = message->kind == GW_QUERY ? wire::Kind::kQuery : wire::Kind::kCommand;
    return begin(host, message, done, argument,
                 [session, kind](Services& services, const Outgoing& what, const Completion& heard) {
                   return services.request(session, kind, what, heard).map([](RequestId) {});
                 });
  }
  static gw_status close(const gw_host* host, gw_session session, gw_status status, gw_text text) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, text); may != GW_OK) return may;
    if (status < GW_OK || status > UINT16_MAX) return GW_ERROR_ARGUMENT_INVALID;
    const std::string_view words = view(text).substr(0, limits::kTextBytesMax);
    return status_of(self.world_.services->close(session, static_cast<Code>(status), words));
  }

  static gw_status attribute(const gw_host* host, gw_session session, gw_text name, gw_bytes* out) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_ask(self); may != GW_OK) return may;
    if (!is_sound(name) || !out) return GW_ERROR_ARGUMENT_INVALID;
    const auto value = self.world_.services->attribute(session, view(name));
    if (!value) return self.world_.services->session(session) ? GW_ERROR_NOT_FOUND : GW_ERROR_STALE;
    self.attribute_ = text_of(*value);
    *out = plain(as_bytes(self.attribute_));
    return GW_OK;
  }
  static gw_status set_attribute(const gw_host* host, gw_session session, gw_text name, gw_bytes value,
                                 int64_t ttl_ns) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, name, value); may != GW_OK) return may;
    if (ttl_ns < 0) return GW_ERROR_ARGUMENT_INVALID;
    return status_of(self.world_.services->set_attribute(session, view(name), value_of(value), Duration(ttl_ns)));
  }
  static gw_status remove_attribute(const gw_host* host, gw_session session, gw_text name) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, name); may != GW_OK) return may;
    return status_of(self.world_.services->set_attribute(session, view(name), std::nullopt, {}));
  }

  static gw_status join(const gw_host* host, gw_session session, gw_text group) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, group); may != GW_OK) return may;
    return status_of(self.world_.services->join(session, view(group)));
  }
  static gw_status leave(const gw_host* host, gw_session session, gw_text group) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, group); may != GW_OK) return may;
    return status_of(self.world_.services->leave(session, view(group)));
  }
  static size_t size(const gw_host* host, gw_text group) {
    PluginHost& self = PluginHost::of(host);
    const bool may = may_ask(self) == GW_OK && is_sound(group);
    return may ? self.world_.services->group_size(view(group)) : 0;
  }
  static gw_status publish(const gw_host* host, gw_text group, gw_session except, const gw_outgoing* message) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, group); may != GW_OK) return may;
    Sending sending;
    if (const gw_status read = sending.read(message); read != GW_OK) return read;
    const auto count = self.world_.services->broadcast(view(group), except, sending.message, {});
    return count ? GW_OK : static_cast<gw_status>(count.error().code);
  }

  static gw_status kv_get(const gw_host* host, gw_text key, gw_bytes* value, uint64_t* version) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_ask(self); may != GW_OK) return may;
    if (!is_sound(key) || !value) return GW_ERROR_ARGUMENT_INVALID;
    const auto found = self.world_.kv->get_versioned(self.source_.unit_name(), view(key));
    if (!found) return GW_ERROR_NOT_FOUND;
    self.kv_value_ = text_of(found->value);
    *value = plain(as_bytes(self.kv_value_));
    if (version) *version = found->version;
    return GW_OK;
  }
  static gw_status kv_put(const gw_host* host, gw_text key, gw_bytes value, int64_t ttl_ns) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, key, value); may != GW_OK) return may;
    if (ttl_ns < 0) return GW_ERROR_ARGUMENT_INVALID;
    return status_of(self.world_.kv->set(self.source_.unit_name(), view(key), value_of(value), Duration(ttl_ns)));
  }
  static gw_status kv_compare_and_put(const gw_host* host, gw_text key, uint64_t version, gw_bytes value,
                                      int64_t ttl_ns) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, key, value); may != GW_OK) return may;
    if (ttl_ns < 0) return GW_ERROR_ARGUMENT_INVALID;
    const auto put =
        self.world_.kv->put_versioned(self.source_.unit_name(), view(key), version, value_of(value), Duration(ttl_ns));
    if (!put) return static_cast<gw_status>(put.error().code);
    return *put ? GW_OK : GW_ERROR_STALE;
  }
  static gw_status kv_add(const gw_host* host, gw_text key, int64_t amount, int64_t ttl_ns, int64_t* sum) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, key); may != GW_OK) return may;
    if (ttl_ns < 0) return GW_ERROR_ARGUMENT_INVALID;
    const auto added = self.world_.kv->increment(self.source_.unit_name(), view(key), static_cast<double>(amount), 0,
                                                 Duration(ttl_ns));
    if (!added) return static_cast<gw_status>(added.error().code);
    if (sum) *sum = static_cast<int64_t>(*added);
    return GW_OK;
  }
  static gw_status kv_remove(const gw_host* host, gw_text key) {
    PluginHost& self = PluginHost::of(host);
    if (const gw_status may = may_act(self, key); may != GW_OK) return may;
    return self.world_.kv->remove(self.source_.unit_name(), view(key)) ? GW_OK : GW_ERROR_NOT_FOUND;
  }

  static constexpr PluginServiceTables kTables = {
      .sessions = {sizeof(gw_sessions_table), info, send, request, close, attribute, set_attribute, remove_attribute},
      .groups = {sizeof(gw_groups_table), join, leave, size, publish},
      .kv = {sizeof(gw_kv_table), kv_get, kv_put, kv_compare_and_put, kv_add, kv_remove},
  };
};

const PluginServiceTables& plugin_service_tables() { return PluginServiceThunks::kTables; }

}  // namespace godwit::host

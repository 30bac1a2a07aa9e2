#include <charconv>

#include "plugin_test/fake_host.h"
#include "plugin_test/fake_views.h"

namespace godwit::plugin_test {
namespace {

constexpr size_t kKeyBytesMax = 512;
constexpr size_t kNameBytesMax = 256;

/// What has effects: only while the instance is in service.
template <typename... Given>
gw_status may_act(const FakeHost& self, Given... given) {
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (self.stage() != FakeHost::Stage::kRunning) return GW_ERROR_NOT_NOW;
  return (is_sound(given) && ...) ? GW_OK : GW_ERROR_ARGUMENT_INVALID;
}

bool is_message(const gw_outgoing* message) {
  return GW_REACHES(gw_outgoing, message, header_count) && message->action.size > 0 && is_sound(message->action) &&
         is_sound(message->body);
}

// sessions
gw_status info(const gw_host* host, gw_session session, gw_session_info* out) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!GW_REACHES(gw_session_info, out, address)) return GW_ERROR_ARGUMENT_INVALID;
  const FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  out->worker = 0;
  out->session = session;
  out->connected_unix_us = 1'700'000'000'000'000;
  out->client_id = plain(found->client_id);
  out->uid = plain(found->uid);
  out->address = GW_TEXT("127.0.0.1:4242");
  return GW_OK;
}
gw_status begin(const gw_host* host, gw_session session, int kind, const gw_outgoing* message, gw_on_reply done,
                void* argument) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self); may != GW_OK) return may;
  if (!is_message(message)) return GW_ERROR_ARGUMENT_INVALID;
  if (!self.world.find(session)) return GW_ERROR_STALE;
  Sent& sent = self.world.keep(session, "", 0, kind, *message);
  sent.done = done;
  sent.argument = argument;
  sent.face.waits = done != nullptr;
  return GW_OK;
}
gw_status send(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done, void* argument) {
  return begin(host, session, GW_EVENT, message, done, argument);
}
gw_status request(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done,
                  void* argument) {
  if (!done || !message || (message->kind != GW_COMMAND && message->kind != GW_QUERY)) return GW_ERROR_ARGUMENT_INVALID;
  return begin(host, session, message->kind, message, done, argument);
}
gw_status close(const gw_host* host, gw_session session, gw_status status, gw_text text) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, text); may != GW_OK) return may;
  if (status < GW_OK) return GW_ERROR_ARGUMENT_INVALID;
  return self.world.sessions.erase(session) > 0 ? GW_OK : GW_ERROR_STALE;
}
gw_status attribute(const gw_host* host, gw_session session, gw_text name, gw_bytes* out) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!is_sound(name) || !out) return GW_ERROR_ARGUMENT_INVALID;
  FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  const FakeWorld::Kept* value = FakeWorld::find(found->attributes, view(name), self.now_ns);
  if (!value) return GW_ERROR_NOT_FOUND;
  *out = plain_bytes(value->bytes);
  return GW_OK;
}
gw_status set_attribute(const gw_host* host, gw_session session, gw_text name, gw_bytes value, int64_t ttl_ns) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, name, value); may != GW_OK) return may;
  if (ttl_ns < 0 || name.size == 0 || name.size > kNameBytesMax) return GW_ERROR_ARGUMENT_INVALID;
  FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  self.world.put(found->attributes, view(name), view(value), ttl_ns, self.now_ns);
  return GW_OK;
}
gw_status remove_attribute(const gw_host* host, gw_session session, gw_text name) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, name); may != GW_OK) return may;
  FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  found->attributes.erase(std::string(view(name)));
  return GW_OK;
}

// groups
gw_status join(const gw_host* host, gw_session session, gw_text group) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, group); may != GW_OK) return may;
  if (group.size == 0 || group.size > kNameBytesMax) return GW_ERROR_ARGUMENT_INVALID;
  FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  found->groups.emplace(view(group));
  return GW_OK;
}
gw_status leave(const gw_host* host, gw_session session, gw_text group) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, group); may != GW_OK) return may;
  FakeWorld::Session* found = self.world.find(session);
  if (!found) return GW_ERROR_STALE;
  found->groups.erase(std::string(view(group)));
  return GW_OK;
}
size_t size(const gw_host* host, gw_text group) {
  size_t members = 0;
  for (const auto& [id, session] : FakeHost::of(host).world.sessions) members += session.groups.contains(view(group));
  return members;
}
gw_status publish(const gw_host* host, gw_text group, gw_session except, const gw_outgoing* message) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, group); may != GW_OK) return may;
  if (!is_message(message)) return GW_ERROR_ARGUMENT_INVALID;
  self.world.keep(0, view(group), except, GW_EVENT, *message);
  return GW_OK;
}

// named values
gw_status kv_get(const gw_host* host, gw_text key, gw_bytes* value, uint64_t* version) {
  FakeHost& self = FakeHost::of(host);
  if (!self.entered()) return GW_ERROR_WRONG_THREAD;
  if (!is_sound(key) || !value) return GW_ERROR_ARGUMENT_INVALID;
  const FakeWorld::Kept* kept = FakeWorld::find(self.world.kv, view(key), self.now_ns);
  if (!kept) return GW_ERROR_NOT_FOUND;
  *value = plain_bytes(kept->bytes);
  if (version) *version = kept->version;
  return GW_OK;
}
gw_status may_write(const FakeHost& self, gw_text key, int64_t ttl_ns) {
  if (const gw_status may = may_act(self, key); may != GW_OK) return may;
  return key.size == 0 || key.size > kKeyBytesMax || ttl_ns < 0 ? GW_ERROR_ARGUMENT_INVALID : GW_OK;
}
gw_status kv_put(const gw_host* host, gw_text key, gw_bytes value, int64_t ttl_ns) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_write(self, key, ttl_ns); may != GW_OK) return may;
  self.world.put(self.world.kv, view(key), view(value), ttl_ns, self.now_ns);
  return GW_OK;
}
gw_status kv_compare_and_put(const gw_host* host, gw_text key, uint64_t version, gw_bytes value, int64_t ttl_ns) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_write(self, key, ttl_ns); may != GW_OK) return may;
  const FakeWorld::Kept* kept = FakeWorld::find(self.world.kv, view(key), self.now_ns);
  if ((kept ? kept->version : 0) != version) return GW_ERROR_STALE;
  return kv_put(host, key, value, ttl_ns);
}
gw_status kv_add(const gw_host* host, gw_text key, int64_t amount, int64_t ttl_ns, int64_t* sum) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_write(self, key, ttl_ns); may != GW_OK) return may;
  FakeWorld::Kept* kept = FakeWorld::find(self.world.kv, view(key), self.now_ns);
  int64_t before = 0;
  if (kept && !kept->is_number) return GW_ERROR_VALUE_WRONG;
  if (kept) std::from_chars(kept->bytes.data(), kept->bytes.data() + kept->bytes.size(), before);
  const std::string after = std::to_string(before + amount);
  if (kept) {
    kept->bytes = after;
    kept->version = ++self.world.last_version;
  } else {
    self.world.put(self.world.kv, view(key), after, ttl_ns, self.now_ns).is_number = true;
  }
  if (sum) *sum = before + amount;
  return GW_OK;
}
gw_status kv_remove(const gw_host* host, gw_text key) {
  FakeHost& self = FakeHost::of(host);
  if (const gw_status may = may_act(self, key); may != GW_OK) return may;
  if (!FakeWorld::find(self.world.kv, view(key), self.now_ns)) return GW_ERROR_NOT_FOUND;
  self.world.kv.erase(std::string(view(key)));
  return GW_OK;
}

constexpr gw_sessions_table kSessions = {.struct_size = sizeof(gw_sessions_table),
                                         .info = info,
                                         .send = send,
                                         .request = request,
                                         .close = close,
                                         .attribute = attribute,
                                         .set_attribute = set_attribute,
                                         .remove_attribute = remove_attribute};
constexpr gw_groups_table kGroups = {
    .struct_size = sizeof(gw_groups_table), .join = join, .leave = leave, .size = size, .publish = publish};
constexpr gw_kv_table kKv = {.struct_size = sizeof(gw_kv_table),
                             .get = kv_get,
                             .put = kv_put,
                             .compare_and_put = kv_compare_and_put,
                             .add = kv_add,
                             .remove = kv_remove};

}  // namespace

void set_service_tables(gw_host& host) {
  host.sessions = &kSessions;
  host.groups = &kGroups;
  host.kv = &kKv;
}

FakeWorld::Kept* FakeWorld::find(Values& values, std::string_view key, int64_t now_ns) {
  const auto found = values.find(key);
  return found == values.end() || found->second.expires_ns <= now_ns ? nullptr : &found->second;
}

FakeWorld::Kept& FakeWorld::put(Values& values, std::string_view key, std::string_view bytes, int64_t ttl_ns,
                                int64_t now_ns) {
  const int64_t expires_ns = ttl_ns == 0 ? GW_NEVER : now_ns + ttl_ns;
  return values[std::string(key)] = {std::string(bytes), false, ++last_version, expires_ns};
}

FakeWorld::Session* FakeWorld::find(gw_session session) {
  const auto found = sessions.find(session);
  return found == sessions.end() ? nullptr : &found->second;
}

Sent& FakeWorld::keep(gw_session session, std::string_view group, gw_session except, int kind,
                      const gw_outgoing& message) {
  Sent& one = *sent.emplace_back(std::make_unique<Sent>());
  one.group = group;
  one.action = view(message.action);
  one.body = view(message.body);
  one.face = {.struct_size = sizeof(gw_test_sent),
              .kind = kind,
              .session = session,
              .except = except,
              .group = one.group.c_str(),
              .action = one.action.c_str(),
              .body = reinterpret_cast<const uint8_t*>(one.body.data()),
              .body_size = one.body.size(),
              .waits = false};
  return one;
}

}  // namespace godwit::plugin_test

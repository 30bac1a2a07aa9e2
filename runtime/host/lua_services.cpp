#include "host/lua_services.h"

#include <fmt/format.h>

#include <cmath>

#include "host/lua_bridge_types.h"
#include "host/lua_values.h"

// Lua errors leave these functions by unwinding: what owns memory lies in the LuaServices, or in inner functions which
// do not raise.

namespace godwit::host {
namespace {

Duration read_duration(lua_State* state, int index) {
  const double seconds = lua_tonumber(state, index);
  // Beyond a hundred years is for ever.
  if (!(seconds > 0) || seconds > 3.2e9) return {};
  return std::max(Duration(1), std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

// What was heard is in `number`, as a code: a peer's failure is no failure of the wait.

Wake to_wake(const session::Reply& reply) {
  Wake wake{.text = std::string(reply.text), .body = std::string(as_text(reply.body))};
  if (reply.status != wire::Status::kSuccess) {
    wake.number = static_cast<double>(reply.code == Code::kOk ? Code::kHandlerFailed : reply.code);
  }
  for (const wire::Header& header : reply.headers) wake.headers.emplace_back(header.name, header.value);
  return wake;
}

Wake to_wake(const Fanout& outcome) {
  Wake wake{.body = std::to_string(outcome.sent)};
  for (const Fanout::Refusal& refusal : outcome.refusals) {
    wake.headers.emplace_back(std::to_string(refusal.session), std::to_string(static_cast<unsigned>(refusal.code)));
  }
  return wake;
}

Wake to_wake(const Result<SessionStats>& stats) {
  if (!stats) return {.text = stats.error().text, .number = static_cast<double>(stats.error().code)};
  const auto number = [](auto count) { return std::to_string(count); };
  return {.headers = {{"rtt", fmt::format("{}", std::chrono::duration<double>(stats->rtt).count())},
                      {"bytes_sent", number(stats->bytes_sent)},
                      {"bytes_received", number(stats->bytes_received)},
                      {"messages_sent", number(stats->messages_sent)},
                      {"messages_received", number(stats->messages_received)},
                      {"pending_replies", number(stats->pending_replies)},
                      {"outbox_messages", number(stats->outbox_messages)}}};
}

}  // namespace

LuaServices::LuaServices(Services* services, KvStore* kv, LuaBridge& bridge, std::string space)
    : services_(services),
      kv_(kv),
      space_(std::move(space)),
      bridge_(bridge),
      waits_(std::make_shared<LuaWaits*>(&bridge.waits())) {}

Completion LuaServices::wake(lua_State* state, int token_index) {
  if (lua_isnoneornil(state, token_index)) return {};
  const auto token = static_cast<WaitToken>(lua_tonumber(state, token_index));
  return [waits = std::weak_ptr(waits_), token](const session::Reply& reply) {
    if (const auto alive = waits.lock()) (*alive)->complete(token, to_wake(reply));
  };
}

/// A request is withdrawn when what waited for it ends otherwise.
void LuaServices::cancel_when_abandoned(lua_State* state, int token_index, RequestId request) {
  const auto token = static_cast<WaitToken>(lua_tonumber(state, token_index));
  (*waits_)->on_abandoned(token, [services = services_, request] { services->cancel(request); });
}

/// A flat list: name, value, name, value, …
void LuaServices::read_headers(lua_State* state, int index) {
  headers_.clear();
  if (!lua_istable(state, index)) return;
  const size_t count = lua_objlen(state, index);
  for (size_t i = 1; i + 1 <= count; i += 2) {
    lua_rawgeti(state, index, static_cast<int>(i));
    lua_rawgeti(state, index, static_cast<int>(i + 1));
    // The table keeps the strings alive.
    headers_.push_back({check_text(state, -2), check_text(state, -1)});
    lua_pop(state, 2);
  }
}

/// action, body, headers, timeout, ttl, priority, order from `first` on.
Outgoing LuaServices::read_message(lua_State* state, int first) {
  read_headers(state, first + 2);
  return {.action = check_text(state, first),
          .headers = headers_,
          .body = as_bytes(check_text(state, first + 1)),
          .timeout = read_duration(state, first + 3),
          .ttl = read_duration(state, first + 4),
          .priority = static_cast<wire::Priority>(static_cast<int>(lua_tonumber(state, first + 5)) & 3),
          .order = static_cast<session::Order>(static_cast<int>(lua_tonumber(state, first + 6)))};
}

/// Who waits for the message in hand does not wait longer for what its handler asks.
Outgoing LuaServices::in_time(Outgoing request) const {
  const std::optional<Duration> left = bridge_.time_left();
  if (!left || !services_) return request;
  const Duration timeout = request.timeout > Duration::zero() ? request.timeout : services_->request_timeout();
  request.timeout = std::max(Duration(1ms), std::min(timeout, *left));
  return request;
}

/// The functions; a struct, so that they may be friends.
struct LuaServiceFunctions {
  static LuaServices& self(lua_State* state) {
    return *static_cast<LuaServices*>(lua_touserdata(state, lua_upvalueindex(1)));
  }
  static int failed(lua_State* state, LuaServices& self, Error error) {
    self.error_ = std::move(error);
    lua_pushnil(state);
    lua_pushinteger(state, static_cast<lua_Integer>(self.error_.code));
    push_text(state, self.error_.text);
    return 3;
  }
  static int ok(lua_State* state, LuaServices& self, const Status& status) {
    if (!status) return failed(state, self, status.error());
    lua_pushboolean(state, 1);
    return 1;
  }
  static int ok(lua_State* state, LuaServices& self, const Result<bool>& result) {
    if (!result) return failed(state, self, result.error());
    lua_pushboolean(state, *result);
    return 1;
  }
  static int nobody(lua_State* state, LuaServices& self) {
    return failed(state, self, {Code::kStaleHandle, "there is no server here"});
  }
  static int push_names(lua_State* state, const std::vector<std::string>& names) {
    lua_createtable(state, static_cast<int>(names.size()), 0);
    for (size_t i = 0; i < names.size(); ++i) {
      push_text(state, names[i]);
      lua_rawseti(state, -2, static_cast<int>(i + 1));
    }
    return 1;
  }

  /// (key) → description | nothing
  static int session(lua_State* state) {
    LuaServices& s = self(state);
    s.info_ = s.services_ ? s.services_->session(read_key(state, 1)) : std::nullopt;
    if (!s.info_) return 0;
    push_info(state, *s.info_);
    return 1;
  }
  /// (uid) → keys
  static int sessions_of(lua_State* state) {
    LuaServices& s = self(state);
    s.keys_.clear();
    if (s.services_) s.keys_ = s.services_->sessions_of(check_text(state, 1));
    lua_createtable(state, static_cast<int>(s.keys_.size()), 0);
    for (size_t i = 0; i < s.keys_.size(); ++i) {
      push_key(state, s.keys_[i]);
      lua_rawseti(state, -2, static_cast<int>(i + 1));
    }
    return 1;
  }
  /// (group, after, limit) → descriptions
  static int sessions(lua_State* state) {
    LuaServices& s = self(state);
    s.infos_.clear();
    if (s.services_) {
      s.infos_ = s.services_->sessions({.group = check_text(state, 1),
                                        .after = read_key(state, 2),
                                        .limit = static_cast<size_t>(luaL_checknumber(state, 3))});
    }
    lua_createtable(state, static_cast<int>(s.infos_.size()), 0);
    for (size_t i = 0; i < s.infos_.size(); ++i) {
      push_info(state, s.infos_[i]);
      lua_rawseti(state, -2, static_cast<int>(i + 1));
    }
    return 1;
  }
  /// (key, action, body, headers, timeout, ttl, priority, order, token | nil)
  static int send(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const Outgoing message = s.read_message(state, 2);
    return ok(state, s, s.services_->send(read_key(state, 1), message, s.wake(state, 9)));
  }
  /// (uid, action, body, headers, timeout, ttl, priority, order, seconds)
  static int keep(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const Outgoing message = s.read_message(state, 2);
    return ok(state, s, s.services_->keep(check_text(state, 1), message, read_duration(state, 9)));
  }
  /// The same, with a token, which hears that it is on the disk.
  static int send_durable(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const Outgoing message = s.read_message(state, 2);
    return ok(state, s, s.services_->send_durable(read_key(state, 1), message, s.wake(state, 9)));
  }
  /// The same, with a token, and whether it is a query.
  static int request(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const Outgoing message = s.read_message(state, 2);
    const wire::Kind kind = lua_toboolean(state, 10) ? wire::Kind::kQuery : wire::Kind::kCommand;
    auto request = s.services_->request(read_key(state, 1), kind, s.in_time(message), s.wake(state, 9));
    if (!request) return failed(state, s, std::move(request.error()));
    s.cancel_when_abandoned(state, 9, *request);
    lua_pushboolean(state, 1);
    return 1;
  }
  /// (key, action, body, headers, timeout, ttl, priority, order, serial, after)
  static int notify(lua_State* state) {
    LuaServices& s = self(state);
    const Outgoing message = s.read_message(state, 2);
    const auto place = lua_toboolean(state, 10) ? session::Bound::kAfter : session::Bound::kBefore;
    return ok(state, s, s.bridge_.notify(lua_tonumber(state, 9), read_key(state, 1), place, message));
  }
  /// (group, action, body, headers, timeout, ttl, priority, order, token | nil, except) → count
  static int broadcast(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const Outgoing message = s.read_message(state, 2);
    const auto count =
        s.services_->broadcast(check_text(state, 1), read_key(state, 10), message, told<const Fanout&>(s, state, 9));
    if (!count) return failed(state, s, count.error());
    lua_pushnumber(state, static_cast<double>(*count));
    return 1;
  }
  /// (key, token)
  static int stats(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    return ok(state, s, s.services_->stats(read_key(state, 1), told<Result<SessionStats>>(s, state, 2)));
  }
  template <typename Outcome>
  static std::function<void(Outcome)> told(LuaServices& s, lua_State* state, int token_index) {
    if (lua_isnoneornil(state, token_index)) return {};
    const auto token = static_cast<WaitToken>(lua_tonumber(state, token_index));
    return [waits = std::weak_ptr(s.waits_), token](Outcome outcome) {
      if (const auto alive = waits.lock()) (*alive)->complete(token, to_wake(outcome));
    };
  }
  /// (key, code, text)
  static int close(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    const auto code = static_cast<Code>(static_cast<int>(luaL_checknumber(state, 2)));
    return ok(state, s, s.services_->close(read_key(state, 1), code, check_text(state, 3)));
  }
  /// (key, name) → value | nothing
  static int get(lua_State* state) {
    LuaServices& s = self(state);
    s.value_ = s.services_ ? s.services_->attribute(read_key(state, 1), check_text(state, 2)) : std::nullopt;
    return push_value(state, s.value_);
  }
  /// (key, name, value | nil, ttl)
  static int set(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    read_value(state, 3, s.value_);
    return ok(state, s,
              s.services_->set_attribute(read_key(state, 1), check_text(state, 2), s.value_, read_duration(state, 4)));
  }
  /// (key, name, expected | nil, value | nil)
  static int cas(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    read_value(state, 3, s.expected_);
    read_value(state, 4, s.value_);
    return ok(state, s, s.services_->cas_attribute(read_key(state, 1), check_text(state, 2), s.expected_, s.value_));
  }
  static int join(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    return ok(state, s, s.services_->join(read_key(state, 1), check_text(state, 2)));
  }
  static int leave(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.services_) return nobody(state, s);
    return ok(state, s, s.services_->leave(read_key(state, 1), check_text(state, 2)));
  }
  static int groups(lua_State* state) {
    LuaServices& s = self(state);
    s.names_.clear();
    if (s.services_) s.names_ = s.services_->groups_of(read_key(state, 1));
    return push_names(state, s.names_);
  }
  static int group_size(lua_State* state) {
    LuaServices& s = self(state);
    lua_pushnumber(state, s.services_ ? static_cast<double>(s.services_->group_size(check_text(state, 1))) : 0);
    return 1;
  }

  static int no_store(lua_State* state, LuaServices& self) {
    return failed(state, self, {Code::kStoreFull, "there is no store here"});
  }
  static int kv_get(lua_State* state) {
    LuaServices& s = self(state);
    s.value_ = s.kv_ ? s.kv_->get(s.space_, check_text(state, 1)) : std::nullopt;
    return push_value(state, s.value_);
  }
  /// (key, value, ttl)
  static int kv_set(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.kv_) return no_store(state, s);
    read_value(state, 2, s.value_);
    if (!s.value_) return luaL_error(state, "no value");
    return ok(state, s, s.kv_->set(s.space_, check_text(state, 1), *s.value_, read_duration(state, 3)));
  }
  static int kv_add(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.kv_) return no_store(state, s);
    read_value(state, 2, s.value_);
    if (!s.value_) return luaL_error(state, "no value");
    return ok(state, s, s.kv_->add(s.space_, check_text(state, 1), *s.value_, read_duration(state, 3)));
  }
  /// (key, by, initial, ttl) → sum
  static int kv_increment(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.kv_) return no_store(state, s);
    const auto sum = s.kv_->increment(s.space_, check_text(state, 1), luaL_checknumber(state, 2),
                                      luaL_checknumber(state, 3), read_duration(state, 4));
    if (!sum) return failed(state, s, sum.error());
    lua_pushnumber(state, *sum);
    return 1;
  }
  /// (key, expected | nil, value | nil, ttl)
  static int kv_cas(lua_State* state) {
    LuaServices& s = self(state);
    if (!s.kv_) return no_store(state, s);
    read_value(state, 2, s.expected_);
    read_value(state, 3, s.value_);
    return ok(state, s,
              s.kv_->compare_and_set(s.space_, check_text(state, 1), s.expected_, s.value_, read_duration(state, 4)));
  }
  static int kv_remove(lua_State* state) {
    LuaServices& s = self(state);
    lua_pushboolean(state, s.kv_ && s.kv_->remove(s.space_, check_text(state, 1)));
    return 1;
  }
  /// (key) → seconds, infinite for ever | nothing
  static int kv_ttl(lua_State* state) {
    LuaServices& s = self(state);
    const auto ttl = s.kv_ ? s.kv_->ttl(s.space_, check_text(state, 1)) : std::nullopt;
    if (!ttl) return 0;
    lua_pushnumber(state, *ttl == Duration::max() ? HUGE_VAL : std::chrono::duration<double>(*ttl).count());
    return 1;
  }
  /// (prefix, after, limit) → keys
  static int kv_keys(lua_State* state) {
    LuaServices& s = self(state);
    s.names_.clear();
    if (s.kv_) {
      s.names_ = s.kv_->keys(s.space_, check_text(state, 1), check_text(state, 2),
                             static_cast<size_t>(luaL_checknumber(state, 3)));
    }
    return push_names(state, s.names_);
  }
};

namespace {

void add_table(lua_State* state, LuaServices& services, const char* name, std::span<const luaL_Reg> functions) {
  lua_newtable(state);
  for (const luaL_Reg& function : functions) {
    lua_pushlightuserdata(state, &services);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_setfield(state, -2, name);
}

}  // namespace

void LuaServices::add_to(lua_State* state) {
  using F = LuaServiceFunctions;
  static constexpr luaL_Reg kServices[] = {{"session", F::session},
                                           {"sessions_of", F::sessions_of},
                                           {"sessions", F::sessions},
                                           {"send", F::send},
                                           {"send_durable", F::send_durable},
                                           {"request", F::request},
                                           {"notify", F::notify},
                                           {"keep", F::keep},
                                           {"broadcast", F::broadcast},
                                           {"stats", F::stats},
                                           {"close", F::close},
                                           {"get", F::get},
                                           {"set", F::set},
                                           {"cas", F::cas},
                                           {"join", F::join},
                                           {"leave", F::leave},
                                           {"groups", F::groups},
                                           {"group_size", F::group_size}};
  static constexpr luaL_Reg kKv[] = {{"get", F::kv_get},        {"set", F::kv_set},  {"add", F::kv_add},
                                     {"incr", F::kv_increment}, {"cas", F::kv_cas},  {"del", F::kv_remove},
                                     {"ttl", F::kv_ttl},        {"keys", F::kv_keys}};
  add_table(state, *this, "services", kServices);
  add_table(state, *this, "kv", kKv);
}

}  // namespace godwit::host

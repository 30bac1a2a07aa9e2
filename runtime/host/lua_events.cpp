#include "host/lua_events.h"

#include <algorithm>

#include "host/lua_values.h"

namespace godwit::host {
namespace {

constexpr const char* kNames[kSessionEvents + 1] = {
    "session_created",   "session_closed",   "session_parted", "session_resumed",
    "heartbeat_timeout", "message_received", "message_sent",   "broadcast",
    "promise_timeout",   "connection_error", nullptr};

const char* name_of(SessionEvent::What what) { return kNames[static_cast<size_t>(what)]; }

/// (…) → name, session or nil, code, reason, groups, action, message, count
int push_event(lua_State* state, const SessionEvent& event) {
  lua_pushstring(state, name_of(event.what));
  if (event.session.key != 0) {
    push_info(state, event.session);
  } else {
    lua_pushnil(state);
  }
  lua_pushnumber(state, static_cast<double>(event.code));
  push_text(state, event.reason);
  lua_createtable(state, static_cast<int>(event.groups.size()), 0);
  for (size_t i = 0; i < event.groups.size(); ++i) {
    push_text(state, event.groups[i]);
    lua_rawseti(state, -2, static_cast<int>(i + 1));
  }
  push_text(state, event.action);
  push_key(state, event.message_id);
  lua_pushnumber(state, static_cast<double>(event.count));
  return 8;
}

/// (…) → "authenticate", question, credentials
int push_question(lua_State* state, double number, const session::Credentials& credentials) {
  lua_pushliteral(state, "authenticate");
  lua_pushnumber(state, number);
  lua_createtable(state, 0, 6);
  set_text(state, "client_id", credentials.client_id);
  set_text(state, "uid", credentials.uid);
  set_text(state, "token", credentials.token);
  set_text(state, "agent", credentials.agent);
  set_text(state, "certificate_name", credentials.certificate_name);
  set_text(state, "address", credentials.address);
  return 3;
}

}  // namespace

void LuaEvents::on_session(const SessionEvent& event) {
  if (waiting_.size() >= waiting_max_) return note_dropped(name_of(event.what));
  waiting_.push_back(event);
}

void LuaEvents::ask(const session::Credentials& credentials, session::Authenticator::Decided done) {
  if (waiting_.size() >= waiting_max_ || questions_.size() >= waiting_max_) {
    note_dropped("authenticate");
    return done(fail(Code::kUnauthenticated, "not admitted"));
  }
  questions_.push_back({++last_question_, credentials.client_id, std::move(done)});
  waiting_.push_back(Question{last_question_, credentials});
}

void LuaEvents::note_dropped(std::string_view event) {
  ++dropped_;
  const auto held_back = drops_logged_.pass(event, clock_.now());
  if (!held_back) return;
  log_.error("too many events wait: dropped", {{"app", app_}, {"event", event}, {"dropped", dropped_}});
}

std::deque<LuaEvents::Open>::iterator LuaEvents::find(double number) {
  const auto found = std::lower_bound(questions_.begin(), questions_.end(), number,
                                      [](const Open& open, double wanted) { return open.number < wanted; });
  return found != questions_.end() && found->number == number ? found : questions_.end();
}

void LuaEvents::decide(double number, Result<session::Identity> identity) {
  const auto open = find(number);
  if (open == questions_.end()) return;
  if (identity) identity->client_id = open->client_id;
  decisions_.push_back({std::move(open->done), std::move(identity)});
  questions_.erase(open);
}

void LuaEvents::deliver() {
  while (!decisions_.empty()) {
    for (Decision& decision : std::exchange(decisions_, {})) decision.done(std::move(decision.identity));
  }
}

void LuaEvents::refuse_all() {
  while (!questions_.empty()) decide(questions_.front().number, fail(Code::kUnauthenticated, "not admitted"));
  deliver();
}

/// What the prelude calls.
struct LuaEventFunctions {
  static LuaEvents& self(lua_State* state) {
    return *static_cast<LuaEvents*>(lua_touserdata(state, lua_upvalueindex(1)));
  }

  static int hear(lua_State* state) {
    self(state).heard_[static_cast<size_t>(luaL_checkoption(state, 1, nullptr, kNames))] = true;
    return 0;
  }

  static int authenticates(lua_State* state) {
    self(state).authenticates_ = true;
    return 0;
  }

  static int next(lua_State* state) {
    LuaEvents& events = self(state);
    if (events.waiting_.empty()) return 0;
    events.taken_ = std::move(events.waiting_.front());
    events.waiting_.pop_front();
    if (const auto* question = std::get_if<LuaEvents::Question>(&events.taken_)) {
      return push_question(state, question->number, question->credentials);
    }
    return push_event(state, std::get<SessionEvent>(events.taken_));
  }

  static int drop(lua_State* state) {
    self(state).note_dropped(check_text(state, 1));
    return 0;
  }

  static void read_texts(lua_State* state, int index, std::vector<std::string>& out) {
    for (int i = 1; i <= static_cast<int>(lua_objlen(state, index)); ++i) {
      lua_rawgeti(state, index, i);
      const std::string_view text = check_text(state, -1);
      out.emplace_back(text);
      lua_pop(state, 1);
    }
  }
  /// What is no bound is 0; what is no number that fits is the tightest.
  template <typename Number>
  static Number read_number(lua_State* state, int index) {
    const double number = lua_tonumber(state, index);
    if (number == 0) return 0;
    return number >= 1 && number < 4e9 ? static_cast<Number>(number) : Number{1};
  }

  static int admit(lua_State* state) {
    LuaEvents& events = self(state);
    const double question = luaL_checknumber(state, 1);
    session::Identity& identity = events.identity_;
    identity = {};
    identity.uid = check_text(state, 2);
    read_texts(state, 3, identity.groups);
    read_texts(state, 5, identity.rights.actions);
    identity.rights.body_bytes_max = read_number<uint64_t>(state, 6);
    identity.rights.sessions_max = read_number<uint32_t>(state, 7);
    identity.expires_unix_us = read_number<int64_t>(state, 8) * 1'000'000;
    for (int i = 1; i < static_cast<int>(lua_objlen(state, 4)); i += 2) {
      lua_rawgeti(state, 4, i);
      lua_rawgeti(state, 4, i + 1);
      const std::string_view name = check_text(state, -2);
      read_value(state, -1, events.value_);
      if (events.value_) identity.attributes.emplace_back(name, std::move(*events.value_));
      lua_pop(state, 2);
    }
    events.decide(question, std::move(identity));
    return 0;
  }

  static int refuse(lua_State* state) {
    const double question = luaL_checknumber(state, 1);
    self(state).decide(question, fail(Code::kUnauthenticated, "not admitted"));
    return 0;
  }

  static int pass(lua_State* state) {
    const double question = luaL_checknumber(state, 1);
    self(state).decide(question, fail(Code::kNotFound));
    return 0;
  }
};

void LuaEvents::add_to(lua_State* state) {
  using F = LuaEventFunctions;
  static constexpr luaL_Reg kFunctions[] = {{"hear", F::hear},   {"authenticates", F::authenticates},
                                            {"next", F::next},   {"drop", F::drop},
                                            {"admit", F::admit}, {"refuse", F::refuse},
                                            {"pass", F::pass}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, this);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_createtable(state, kSessionEvents, 0);
  for (size_t i = 0; i < kSessionEvents; ++i) {
    lua_pushstring(state, kNames[i]);
    lua_rawseti(state, -2, static_cast<int>(i + 1));
  }
  lua_setfield(state, -2, "names");
  lua_setfield(state, -2, "events");
}

}  // namespace godwit::host

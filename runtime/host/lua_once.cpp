#include "host/lua_once.h"

#include "host/lua_values.h"

// Lua errors leave these functions by unwinding: what owns memory lies in inner functions which do not raise.

namespace godwit::host {
namespace {

LuaOnce& self_of(lua_State* state) { return *static_cast<LuaOnce*>(lua_touserdata(state, lua_upvalueindex(1))); }

Duration seconds(lua_State* state, int index) {
  const double seconds = lua_tonumber(state, index);
  if (!(seconds > 0)) return {};
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, 1e9)));
}

}  // namespace

LuaOnce::LuaOnce(Once* once, LuaBridge& bridge, std::string space)
    : once_(once), bridge_(bridge), space_("app/" + std::move(space)), self_(std::make_shared<LuaOnce*>(this)) {}

LuaOnce::~LuaOnce() = default;

void LuaOnce::break_off(double message, double task) {
  std::erase_if(runs_, [message, task](const auto& one) {
    const Run& run = one.second;
    return run.message == message && run.task == task && message + task > 0;
  });
}

/// A right to execute is a number above 0; a failure is its code below 0; else the body is the outcome.
Wake LuaOnce::to_wake(Result<Once::Begun> begun) {
  if (!begun) return {.text = begun.error().text, .number = -static_cast<double>(begun.error().code)};
  if (begun->run) {
    runs_[++last_].run = std::move(begun->run);
    return {.number = last_};
  }
  const double code = static_cast<double>(begun->outcome.code);
  return {.text = std::move(begun->outcome.text), .body = std::move(begun->outcome.body), .number = -code};
}

void LuaOnce::begin(WaitToken token, std::string_view key, const OnceOptions& options) {
  once_->begin(space_, key, options, [weak = std::weak_ptr(self_), token](Result<Once::Begun> begun) {
    if (const auto self = weak.lock()) (*self)->bridge_.waits().complete(token, (*self)->to_wake(std::move(begun)));
  });
}

/// (token, key, ttl, lease, wait, again) → true when something was begun
int LuaOnce::begin(lua_State* state) {
  LuaOnce& self = self_of(state);
  if (!self.once_) return 0;
  const OnceOptions options{
      .ttl = seconds(state, 3),
      .lease = seconds(state, 4),
      .wait = seconds(state, 5),
      .broken_off = lua_toboolean(state, 6) ? OnceOptions::BrokenOff::kAgain : OnceOptions::BrokenOff::kUnknown};
  self.begin(static_cast<WaitToken>(luaL_checknumber(state, 1)), check_text(state, 2), options);
  lua_pushboolean(state, 1);
  return 1;
}

/// (number): in the name of the message and task that run now
int LuaOnce::enter(lua_State* state) {
  LuaOnce& self = self_of(state);
  const auto found = self.runs_.find(luaL_checknumber(state, 1));
  if (found == self.runs_.end()) return 0;
  found->second.message = self.bridge_.plain()->current;
  found->second.task = self.bridge_.plain()->task;
  found->second.run->enter();
  return 0;
}

void LuaOnce::finish(double number, WaitToken token, OnceOutcome outcome) {
  const auto found = runs_.find(number);
  if (found == runs_.end()) return bridge_.waits().complete(token, {});
  const std::shared_ptr<OnceRun> run = std::move(found->second.run);
  runs_.erase(found);
  run->finish(std::move(outcome), [weak = std::weak_ptr(self_), token] {
    if (const auto self = weak.lock()) (*self)->bridge_.waits().complete(token, {});
  });
}

/// (number, token, code, text, body): the token is woken when the outcome is kept
int LuaOnce::finish(lua_State* state) {
  const double number = luaL_checknumber(state, 1);
  const auto token = static_cast<WaitToken>(luaL_checknumber(state, 2));
  const auto code = static_cast<Code>(static_cast<int>(luaL_checknumber(state, 3)));
  const std::string_view text = check_text(state, 4);
  const std::string_view body = check_text(state, 5);
  self_of(state).finish(number, token, {code, std::string(text), std::string(body), {}});
  return 0;
}

/// (number): it broke off
int LuaOnce::drop(lua_State* state) {
  self_of(state).runs_.erase(luaL_checknumber(state, 1));
  return 0;
}

void LuaOnce::add_to(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"begin", LuaOnce::begin}, {"enter", enter}, {"finish", LuaOnce::finish}, {"drop", drop}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, this);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_setfield(state, -2, "once");
}

}  // namespace godwit::host

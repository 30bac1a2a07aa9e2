#include "host/lua_strategies.h"

#include <cmath>

#include "host/lua_values.h"

namespace godwit::host {
namespace {

using transfer::kBytesMax;
using transfer::Lane;

/// Numbers of Lua hold whole bytes up to 2^53; what is no number of bytes is none.
uint64_t to_count(double number) {
  if (!(number > 0)) return 0;
  return number < 9e15 ? static_cast<uint64_t>(number) : kBytesMax;
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// A day and more is too long for any plan, and more would not fit.
Duration to_duration(double seconds) {
  const double within = std::isnan(seconds) ? 0 : std::fmin(seconds, 1e6);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(within));
}

void push_plan(lua_State* state, const transfer::Plan& plan) {
  lua_createtable(state, 0, 8);
  set_text(state, "class", name_of(plan.size_class));
  set_text(state, "lane", name_of(plan.lane));
  set_number(state, "buffer", static_cast<double>(plan.buffer_bytes));
  set_number(state, "chunk", static_cast<double>(plan.chunk_bytes));
  set_number(state, "timeout", to_seconds(plan.timeout));
  set_number(state, "retries", plan.retries);
  set_number(state, "streams", plan.streams);
  lua_pushboolean(state, plan.compress);
  lua_setfield(state, -2, "compress");
}

}  // namespace

void LuaStrategies::ask(size_t range, const transfer::Question& question, const transfer::Plan& plan) {
  range_ = range;
  question_ = question;
  plan_ = plan;
  answered_ = false;
}

std::optional<transfer::Plan> LuaStrategies::take_answer() { return answered_ ? std::optional(plan_) : std::nullopt; }

/// What the prelude calls.
struct LuaStrategyFunctions {
  static LuaStrategies& self(lua_State* state) {
    return *static_cast<LuaStrategies*>(lua_touserdata(state, lua_upvalueindex(1)));
  }

  static int declare(lua_State* state) {
    LuaStrategies& strategies = self(state);
    const uint64_t least = to_count(luaL_checknumber(state, 1));
    const uint64_t most = lua_isnoneornil(state, 2) ? kBytesMax : to_count(luaL_checknumber(state, 2));
    if (most < least) return lua_pushliteral(state, "'min' is more than 'max'"), 1;
    if (strategies.ranges_.size() == LuaStrategies::kRangesMax) return lua_pushliteral(state, "too many strategies"), 1;
    strategies.ranges_.push_back({least, most});
    return 0;
  }

  static int question(lua_State* state) {
    const LuaStrategies& strategies = self(state);
    const transfer::Question& question = strategies.question_;
    lua_pushnumber(state, static_cast<double>(strategies.range_ + 1));
    lua_createtable(state, 0, 6);
    set_text(state, "class", name_of(transfer::size_class(question.sizes.bytes_min)));
    set_number(state, "size_min", static_cast<double>(question.sizes.bytes_min));
    const uint64_t most = question.sizes.bytes_max;
    set_number(state, "size_max", most == kBytesMax ? HUGE_VAL : static_cast<double>(most));
    if (question.network.rtt > Duration::zero()) set_number(state, "rtt", to_seconds(question.network.rtt));
    set_number(state, "loss", question.network.loss);
    push_plan(state, strategies.plan_);
    lua_setfield(state, -2, "plan");
    return 2;
  }

  static int answer(lua_State* state) {
    static constexpr const char* kClasses[] = {"tiny", "small", "medium", "large", "huge", nullptr};
    static constexpr const char* kLanes[] = {"shared", "own", nullptr};
    LuaStrategies& strategies = self(state);
    transfer::Plan& plan = strategies.plan_;
    const auto given = [state](int index) { return !lua_isnoneornil(state, index); };
    if (given(1)) plan.size_class = static_cast<transfer::SizeClass>(luaL_checkoption(state, 1, nullptr, kClasses));
    if (given(2)) plan.lane = static_cast<Lane>(luaL_checkoption(state, 2, nullptr, kLanes));
    if (given(3)) plan.buffer_bytes = to_count(luaL_checknumber(state, 3));
    if (given(4)) plan.chunk_bytes = to_count(luaL_checknumber(state, 4));
    if (given(5)) plan.timeout = to_duration(luaL_checknumber(state, 5));
    if (given(6))
      plan.retries = static_cast<uint32_t>(std::min<uint64_t>(to_count(luaL_checknumber(state, 6)), UINT32_MAX));
    if (given(7))
      plan.streams = static_cast<uint32_t>(std::min<uint64_t>(to_count(luaL_checknumber(state, 7)), UINT32_MAX));
    if (given(8)) plan.compress = lua_toboolean(state, 8) != 0;
    strategies.answered_ = true;
    return 0;
  }
};

void LuaStrategies::add_to(lua_State* state) {
  using F = LuaStrategyFunctions;
  static constexpr luaL_Reg kFunctions[] = {{"declare", F::declare}, {"question", F::question}, {"answer", F::answer}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, this);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_setfield(state, -2, "strategies");
}

}  // namespace godwit::host

#include "host/lua_metrics.h"

#include <span>

// Lua errors leave these functions by unwinding: what owns memory lies in the LuaMetrics, or in inner functions which
// do not raise.

namespace godwit::host {
namespace {

std::string_view check_text(lua_State* state, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

/// The texts or numbers of a list; the prelude has checked that it holds no others.
template <typename Item, typename Read>
void read_list(lua_State* state, int index, std::vector<Item>& items, Read read) {
  items.clear();
  const size_t count = lua_objlen(state, index);
  for (size_t i = 1; i <= count; ++i) {
    lua_rawgeti(state, index, static_cast<int>(i));
    items.push_back(read(state, -1));
    lua_pop(state, 1);
  }
}

size_t count_of(lua_State* state, int table) {
  size_t count = 0;
  for (lua_pushnil(state); lua_next(state, table) != 0; lua_pop(state, 1)) ++count;
  return count;
}

}  // namespace

/// The functions; a struct, so that they may be friends.
struct LuaMetricFunctions {
  static LuaMetrics& self(lua_State* state) {
    return *static_cast<LuaMetrics*>(lua_touserdata(state, lua_upvalueindex(1)));
  }

  static int declare(lua_State* state) {
    static constexpr const char* kTypes[] = {"counter", "gauge", "histogram", nullptr};
    LuaMetrics& s = self(state);
    s.declaration_.type = static_cast<MetricType>(luaL_checkoption(state, 1, nullptr, kTypes));
    s.declaration_.name = check_text(state, 2);
    s.declaration_.help = check_text(state, 3);
    read_list(state, 4, s.declaration_.labels,
              [](lua_State* from, int at) { return std::string(check_text(from, at)); });
    read_list(state, 5, s.declaration_.buckets, [](lua_State* from, int at) { return lua_tonumber(from, at); });
    s.status_ = add_metric(s);
    if (s.status_) {
      lua_pushinteger(state, static_cast<lua_Integer>(s.metrics_.size()));
      return 1;
    }
    lua_pushnil(state);
    lua_pushlstring(state, s.status_.error().text.data(), s.status_.error().text.size());
    return 2;
  }
  static Status add_metric(LuaMetrics& s) {
    if (s.metrics_.size() == MetricStore::kMetricsMax) return fail(Code::kLimitReached, "more than 100 metrics");
    if (!s.store_) {
      if (Status sound = check(s.declaration_); !sound) return sound;
      s.metrics_.push_back(std::make_shared<UnitMetric>(s.declaration_, 1));
      return {};
    }
    auto metric = s.store_->declare(s.unit_, s.declaration_);
    if (!metric) return tl::unexpected(std::move(metric.error()));
    s.metrics_.push_back(std::move(*metric));
    return {};
  }

  /// The label values of the table at `index` into `values_`; a mistake is told.
  static const char* read_labels(lua_State* state, LuaMetrics& s, const UnitMetric& metric, int index) {
    s.values_.clear();
    const std::vector<std::string>& names = metric.declaration().labels;
    if (lua_isnoneornil(state, index)) return names.empty() ? nullptr : "the labels are missing";
    for (const std::string& name : names) {
      lua_pushlstring(state, name.data(), name.size());
      lua_rawget(state, index);
      const int type = lua_type(state, -1);
      if (type != LUA_TSTRING && type != LUA_TNUMBER) return "each label has a text or number";
      // A number turns into text on the stack, where it stays until the function's end.
      s.values_.push_back(check_text(state, -1));
    }
    return count_of(state, index) == names.size() ? nullptr : "there are labels that were not declared";
  }

  template <Status (UnitMetric::*kChange)(uint32_t, UnitMetric::LabelValues, double)>
  static int change(lua_State* state) {
    LuaMetrics& s = self(state);
    const auto number = static_cast<size_t>(luaL_checknumber(state, 1));
    UnitMetric& metric = *s.metrics_[number - 1];
    const double value = luaL_checknumber(state, 2);
    luaL_checkstack(state, 20, "labels");
    if (const char* mistake = read_labels(state, s, metric, 3)) {
      lua_pushnil(state);
      lua_pushnil(state);
      lua_pushstring(state, mistake);
      return 3;
    }
    s.status_ = (metric.*kChange)(s.worker_, s.values_, value);
    if (s.status_) {
      lua_pushboolean(state, 1);
      return 1;
    }
    lua_pushnil(state);
    lua_pushinteger(state, static_cast<lua_Integer>(s.status_.error().code));
    lua_pushlstring(state, s.status_.error().text.data(), s.status_.error().text.size());
    return 3;
  }
};

void LuaMetrics::add_to(lua_State* state) {
  using F = LuaMetricFunctions;
  static constexpr luaL_Reg kFunctions[] = {{"declare", F::declare},
                                            {"add", F::change<&UnitMetric::add>},
                                            {"set", F::change<&UnitMetric::set>},
                                            {"observe", F::change<&UnitMetric::observe>}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, this);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_setfield(state, -2, "metrics");
}

void LuaMetrics::show() const {
  if (store_) store_->show(unit_, metrics_);
}

}  // namespace godwit::host

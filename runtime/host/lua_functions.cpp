#include "host/lua_functions.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "host/lua_values.h"
#include "host/lua_vm.h"
#include "host/stack_guard.h"
#include "routing/pattern.h"

// Lua errors leave these functions by unwinding: what owns memory is kept in inner functions which do not raise.

namespace godwit::host {
namespace {

LuaContext& context_of(lua_State* state) {
  return *static_cast<LuaContext*>(lua_touserdata(state, lua_upvalueindex(1)));
}

const AppSource::File* find_file(const AppSource& source, std::string_view path) {
  for (const AppSource::File& file : source.files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

int has_file(lua_State* state) {
  lua_pushboolean(state, find_file(context_of(state).source, check_text(state, 1)) != nullptr);
  return 1;
}

/// Compiles into the app's world. Errors name file and line.
int compile(lua_State* state) {
  LuaContext& context = context_of(state);
  const AppSource::File* file = find_file(context.source, check_text(state, 1));
  if (!file) return luaL_error(state, "no such file");
  std::array<char, 300> chunk;
  *fmt::format_to_n(chunk.data(), chunk.size() - 1, "@{}/{}", context.source.name, file->path).out = '\0';
  if (luaL_loadbufferx(state, file->text.data(), file->text.size(), chunk.data(), "t") != 0) {
    lua_pushnil(state);
    lua_insert(state, -2);
    return 2;
  }
  lua_rawgeti(state, LUA_REGISTRYINDEX, context.globals);
  lua_setfenv(state, -2);
  return 1;
}

/// luaL_loadbufferx does not raise: it returns what is wrong, also for want of memory.
bool load_typed(lua_State* state, const LuaContext& context, std::string_view prefix) {
  const std::string text = std::string(prefix) + context.typed;
  return luaL_loadbufferx(state, text.data(), text.size(), "=typed", "t") == 0;
}

int compile_typed(lua_State* state) {
  if (load_typed(state, context_of(state), check_text(state, 1))) return 1;
  lua_pushnil(state);
  lua_insert(state, -2);
  return 2;
}

constexpr size_t kTypedResultBytesMax = 64 << 10;

int keep_typed(lua_State* state) {
  context_of(state).typed = check_text(state, 1).substr(0, kTypedResultBytesMax);
  return 0;
}

constexpr size_t kHandlersMax = 4096;  ///< per app; far beyond what anybody writes by hand

/// Empty when done, else the reason why not.
/// The options of gw.handle, without anything that an error of Lua's would not destroy.
struct HandlerOptions {
  std::optional<Duration> timeout;
  bool ordered;
  Registration::OnError on_error;
  int priority;
  std::optional<OnceOptions::BrokenOff> once;
  std::string_view key;
};

std::string register_pattern(LuaContext& context, const HandlerOptions& options, std::string_view pattern,
                             std::string_view where) {
  const auto parsed = routing::Pattern::parse(pattern);
  if (!parsed) return parsed.error().text;
  if (context.registrations.size() == kHandlersMax) return fmt::format("more than {} handlers", kHandlersMax);
  const std::string folder = context.source.name + "/";
  if (where.starts_with(folder)) where.remove_prefix(folder.size());
  context.registrations.push_back({std::string(pattern), std::string(where), options.timeout, options.ordered,
                                   options.on_error, options.priority, options.once, std::string(options.key)});
  context.has_keys |= !options.key.empty();
  return {};
}

/// Pushes a reason, if there is one, from where it lies: on the stack, because Lua's errors pass destructors by.
int push_reason(lua_State* state, const std::array<char, 500>& reason) {
  if (reason[0] == '\0') return 0;
  lua_pushstring(state, reason.data());
  return 1;
}

std::array<char, 500> bounded(const std::string& reason) {
  std::array<char, 500> out;
  *fmt::format_to_n(out.data(), out.size() - 1, "{}", reason).out = '\0';
  return out;
}

/// "once" or "again"; nullopt for nothing.
std::optional<OnceOptions::BrokenOff> read_once(lua_State* state, int index) {
  static constexpr const char* kOnce[] = {"once", "again", nullptr};
  if (lua_isnoneornil(state, index)) return std::nullopt;
  return static_cast<OnceOptions::BrokenOff>(luaL_checkoption(state, index, nullptr, kOnce));
}

/// (pattern, where, seconds or nil, ordered, on error, priority, "once" or "again" or nil, key or nil)
int register_handler(lua_State* state) {
  static constexpr const char* kOnError[] = {"fail", "pass", "close", nullptr};
  const std::string_view pattern = check_text(state, 1);
  const std::string_view where = check_text(state, 2);
  std::optional<Duration> timeout;
  if (!lua_isnoneornil(state, 3)) {
    timeout = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(luaL_checknumber(state, 3)));
  }
  const bool ordered = lua_toboolean(state, 4) != 0;
  const auto on_error = static_cast<Registration::OnError>(luaL_checkoption(state, 5, "fail", kOnError));
  const int priority = static_cast<int>(luaL_optinteger(state, 6, Registration().priority));
  const auto once = read_once(state, 7);
  const std::string_view key = lua_isnoneornil(state, 8) ? std::string_view() : check_text(state, 8);
  return push_reason(state, bounded(register_pattern(
                                context_of(state), {timeout, ordered, on_error, priority, once, key}, pattern, where)));
}

constexpr size_t kRoutesMax = 256;  ///< per app: each message is held against them

std::string add_route(LuaContext& context, std::string_view pattern, std::string_view target) {
  auto rewrite = routing::Rewrite::parse(pattern, target);
  if (!rewrite) return rewrite.error().text;
  if (context.rewrites.size() == kRoutesMax) return fmt::format("more than {} routes", kRoutesMax);
  context.rewrites.push_back(std::move(*rewrite));
  return {};
}

/// (pattern, target)
int route(lua_State* state) {
  const std::string_view pattern = check_text(state, 1);
  const std::string_view target = check_text(state, 2);
  return push_reason(state, bounded(add_route(context_of(state), pattern, target)));
}

int declare_authorize(lua_State* state) {
  context_of(state).authorizes = true;
  return 0;
}

int destination(lua_State* state) {
  push_text(state, context_of(state).destination_app);
  push_text(state, context_of(state).destination_pattern);
  return 2;
}

int allow(lua_State* state) {
  context_of(state).refusal.clear();
  return 0;
}

constexpr size_t kRefusalBytesMax = 200;  ///< for one line of the log

int refuse(lua_State* state) {
  context_of(state).refusal = check_text(state, 1).substr(0, kRefusalBytesMax);
  return 0;
}

int declare_export(lua_State* state) {
  context_of(state).has_export = true;
  return 0;
}

/// (text): what the next generation is to be given.
int give_state(lua_State* state) {
  context_of(state).state = check_text(state, 1);
  return 0;
}

int take_state(lua_State* state) {
  const std::string& kept = context_of(state).state;
  lua_pushlstring(state, kept.data(), kept.size());
  return 1;
}

constexpr size_t kLogFieldsMax = 16;

LogField to_log_field(lua_State* state, int name_index, int value_index) {
  size_t size = 0;
  const char* text = lua_tolstring(state, name_index, &size);
  const std::string_view name(text, size);
  switch (lua_type(state, value_index)) {
    case LUA_TBOOLEAN: return {name, lua_toboolean(state, value_index) != 0};
    case LUA_TNUMBER: {
      const double number = lua_tonumber(state, value_index);
      const bool whole = std::abs(number) < 9e15 && number == std::floor(number);
      return whole ? LogField(name, static_cast<int64_t>(number)) : LogField(name, number);
    }
    case LUA_TSTRING: {
      const char* value = lua_tolstring(state, value_index, &size);
      return {name, std::string_view(value, size)};
    }
    default: return {name, luaL_typename(state, value_index)};
  }
}

/// The table's named fields, in no particular order. Raises nothing: it owns memory.
void write_with_fields(lua_State* state, int table, const LuaContext& context, LogLevel level, std::string_view text) {
  std::vector<LogField> fields{{"app", context.name}};
  lua_pushnil(state);
  while (fields.size() <= kLogFieldsMax && lua_next(state, table) != 0) {
    if (lua_type(state, -2) == LUA_TSTRING) fields.push_back(to_log_field(state, -2, -1));
    lua_pop(state, 1);
  }
  context.log.write(level, text, fields);
}

int write_log(lua_State* state) {
  static constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", nullptr};
  const LuaContext& context = context_of(state);
  const auto level = static_cast<LogLevel>(luaL_checkoption(state, 1, nullptr, kLevels));
  if (!context.log.enabled(level)) return 0;
  const std::string_view text = check_text(state, 2);
  if (lua_istable(state, 3)) {
    write_with_fields(state, 3, context, level, text);
  } else {
    context.log.write(level, text, {{"app", context.name}});
  }
  return 0;
}

/// () → whether the error on its way is one that ends the turn
int must_end(lua_State* state) {
  lua_pushboolean(state, LuaVm::of(state).must_end() ? 1 : 0);
  return 1;
}

int check_stack_now(lua_State* state) {
  check_stack(state);
  return 0;
}

}  // namespace

void add_lua_functions(lua_State* state, LuaContext& context) {
  add_json_functions(state, context.json);
  add_codec_functions(state, context.scratch);
  static constexpr luaL_Reg kFunctions[] = {{"has_file", has_file},
                                            {"compile", compile},
                                            {"compile_typed", compile_typed},
                                            {"keep_typed", keep_typed},
                                            {"register", register_handler},
                                            {"route", route},
                                            {"log", write_log},
                                            {"declare_authorize", declare_authorize},
                                            {"destination", destination},
                                            {"allow", allow},
                                            {"refuse", refuse},
                                            {"declare_export", declare_export},
                                            {"give_state", give_state},
                                            {"take_state", take_state},
                                            {"must_end", must_end},
                                            {"check_stack", check_stack_now}};
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, &context);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host

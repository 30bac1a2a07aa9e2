#include "host/lua_world.h"

#include <algorithm>

#include "base/error.h"
#include "host/lua_strings.h"
#include "host/lua_values.h"
#include "host/prelude.h"

namespace godwit::host {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;   ///< of string.rep: some 10 ms
constexpr size_t kConcatItemsMax = 1 << 20;  ///< table.concat of so many takes some 100 ms and cannot be interrupted

void open_library(lua_State* state, lua_CFunction open, const char* name) {
  lua_pushcfunction(state, open);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

/// { {code=, name=, meaning=, retryable=, retry_after=}, … }
void push_codes(lua_State* state) {
  lua_newtable(state);
  int index = 0;
  for (const CodeInfo& info : all_codes()) {
    lua_newtable(state);
    set_number(state, "code", static_cast<double>(info.code));
    set_text(state, "name", info.name);
    set_text(state, "meaning", info.meaning);
    lua_pushboolean(state, info.retryable);
    lua_setfield(state, -2, "retryable");
    if (info.retry_after.count() > 0) {
      set_number(state, "retry_after", static_cast<double>(info.retry_after.count()) / 1000);
    }
    lua_rawseti(state, -2, ++index);
  }
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Durations in seconds.
void push_limits(lua_State* state, const AppLimits& limits) {
  lua_newtable(state);
  set_number(state, "memory_max", static_cast<double>(limits.memory_bytes_max));
  set_number(state, "burst_max", to_seconds(limits.burst_max));
  set_number(state, "cpu_max", to_seconds(limits.cpu_max));
  set_number(state, "load_timeout", to_seconds(limits.load_timeout));
  set_number(state, "handler_timeout", to_seconds(limits.handler_timeout));
  set_number(state, "coroutines_max", static_cast<double>(limits.coroutines_max));
  set_number(state, "events_max", static_cast<double>(limits.events_max));
  set_number(state, "timers_max", static_cast<double>(limits.timers_max));
}

/// Compiles one file of the prelude and leaves it on the stack.
void push_prelude(lua_State* state, const char* name) {
  const std::string_view text = prelude_text(name);
  lua_pushfstring(state, "@godwit/%s", name);
  if (luaL_loadbufferx(state, text.data(), text.size(), lua_tostring(state, -1), "t") != 0) lua_error(state);
  lua_remove(state, -2);
}

void run_file(lua_State* state, const char* name, int host) {
  push_prelude(state, name);
  lua_pushvalue(state, host);
  lua_call(state, 1, 0);
}

/// The one file that sees ffi.
void prepare(lua_State* state, int host, gw_bridge* bridge) {
  push_prelude(state, "prepare.lua");
  lua_pushvalue(state, host);
  lua_pushcfunction(state, luaopen_ffi);
  lua_call(state, 0, 1);
  lua_pushlightuserdata(state, bridge);
  const std::string_view types = prelude_text("bridge_types.inc");
  lua_pushlstring(state, types.data(), types.size());
  lua_call(state, 4, 0);
}

/// A reference to the host table's function of that name; the host table is on top of the stack.
int reference_to(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  return luaL_ref(state, LUA_REGISTRYINDEX);
}

LuaEntries take_entries(lua_State* state) {
  return {.load = reference_to(state, "load"),
          .dispatch = reference_to(state, "dispatch"),
          .run_tasks = reference_to(state, "run_tasks"),
          .task_died = reference_to(state, "task_died"),
          .run_events = reference_to(state, "run_events"),
          .authorize = reference_to(state, "authorize"),
          .make_plan = reference_to(state, "make_plan"),
          .start = reference_to(state, "start"),
          .retire = reference_to(state, "retire"),
          .selftest = reference_to(state, "selftest"),
          .export_state = reference_to(state, "export"),
          .import_state = reference_to(state, "import"),
          .eval = reference_to(state, "eval"),
          .run_command = reference_to(state, "run_command"),
          .load_for_work = reference_to(state, "load_for_work"),
          .work = reference_to(state, "work"),
          .adopt = reference_to(state, "adopt"),
          .error_type = reference_to(state, "error_type"),
          .globals = reference_to(state, "globals")};
}

}  // namespace

void open_libraries(lua_State* state, AppSettings::Trust trust) {
  static constexpr luaL_Reg kLibraries[] = {{"", luaopen_base},
                                            {LUA_TABLIBNAME, luaopen_table},
                                            {LUA_STRLIBNAME, luaopen_string},
                                            {LUA_OSLIBNAME, luaopen_os},
                                            {LUA_MATHLIBNAME, luaopen_math},
                                            {LUA_BITLIBNAME, luaopen_bit},
                                            {LUA_JITLIBNAME, luaopen_jit},
                                            {LUA_DBLIBNAME, luaopen_debug}};
  for (const luaL_Reg& library : kLibraries) open_library(state, library.func, library.name);
  if (trust != AppSettings::Trust::kTrusted) return;
  open_library(state, luaopen_io, LUA_IOLIBNAME);
  open_library(state, luaopen_package, LUA_LOADLIBNAME);
}

void add_bounds(lua_State* state, const AppLimits& limits) {
  push_bounded_strings(state);
  lua_setfield(state, -2, "bounded_strings");
  push_codes(state);
  lua_setfield(state, -2, "codes");
  set_number(state, "text_bytes_max", static_cast<double>(std::min(limits.memory_bytes_max / 4, kTextBytesMax)));
  set_number(state, "concat_items_max", kConcatItemsMax);
  set_number(state, "handler_timeout", to_seconds(limits.handler_timeout));
  set_number(state, "coroutines_max", static_cast<double>(limits.coroutines_max));
  set_number(state, "timers_max", static_cast<double>(limits.timers_max));
  push_limits(state, limits);
  lua_setfield(state, -2, "limits");
}

LuaEntries run_prelude(lua_State* state, gw_bridge* bridge, std::string_view spec_file) {
  const int host = lua_gettop(state);
  prepare(state, host, bridge);
  for (const char* name :
       {"sandbox.lua",  "errors.lua",    "api.lua",      "modules.lua",    "message.lua", "codecs.lua",
        "secrets.lua",  "zstd.lua",      "json.lua",     "wait.lua",       "tasks.lua",   "sync.lua",
        "timers.lua",   "lifecycle.lua", "sessions.lua", "groups.lua",     "kv.lua",      "events.lua",
        "config.lua",   "identity.lua",  "routes.lua",   "strategies.lua", "metrics.lua", "middleware.lua",
        "commands.lua", "http.lua",      "work.lua",     "once.lua",       "batch.lua",   "dispatch.lua",
        "eval.lua"}) {
    run_file(state, name, host);
  }
  if (!spec_file.empty()) {
    set_text(state, "spec_file", spec_file);
    for (const char* name : {"spec_assert.lua", "spec.lua"}) run_file(state, name, host);
  }
  return take_entries(state);
}

}  // namespace godwit::host

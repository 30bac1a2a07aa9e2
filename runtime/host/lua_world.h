#pragma once

#include <lua.hpp>

#include <string>
#include <string_view>

#include "host/app.h"
#include "host/lua_bridge_types.h"

namespace godwit::host {

/// The prelude's functions that the host calls, as references of the VM.
struct LuaEntries {
  int load = LUA_NOREF;
  int dispatch = LUA_NOREF;
  int run_tasks = LUA_NOREF;
  int task_died = LUA_NOREF;
  int run_events = LUA_NOREF;
  int authorize = LUA_NOREF;
  int make_plan = LUA_NOREF;
  int start = LUA_NOREF;
  int retire = LUA_NOREF;
  int selftest = LUA_NOREF;
  int export_state = LUA_NOREF;
  int import_state = LUA_NOREF;
  int eval = LUA_NOREF;
  int run_command = LUA_NOREF;
  int load_for_work = LUA_NOREF;
  int work = LUA_NOREF;
  // Of the VM itself.
  int adopt = LUA_NOREF;
  int error_type = LUA_NOREF;
  int globals = LUA_NOREF;
};

/// What is built before there is code of an app, in this order: the libraries that this level of trust has, the table
/// `host` of what the prelude may use, and out of both the prelude. All of them raise: only within protected code.
void open_libraries(lua_State* state, AppSettings::Trust trust);

/// Adds limits, bounded functions and the registry of errors to the table on top of the stack.
void add_bounds(lua_State* state, const AppLimits& limits);

/// `spec_file`: what specs are written with comes along, where there is one. The table `host` is on top of the stack.
LuaEntries run_prelude(lua_State* state, gw_bridge* bridge, std::string_view spec_file);

}  // namespace godwit::host

#pragma once

#include <lua.hpp>

#include <string>
#include <vector>

#include "base/log.h"
#include "host/app.h"
#include "host/lua_codecs.h"
#include "host/lua_json.h"
#include "routing/rewrite.h"

namespace godwit::host {

/// What the prelude's C functions work on. Lives as long as the VM.
struct LuaContext {
  const AppSource& source;
  std::string name;  ///< "echo@3"
  Log log;
  int globals = LUA_NOREF;  ///< the app's world; set once the prelude made it
  std::vector<Registration> registrations;
  bool has_keys = false;                   ///< one of them has
  std::vector<routing::Rewrite> rewrites;  ///< the most specific first, once it is loaded
  JsonScratch json;
  std::string scratch;
  bool has_export = false;                                ///< gw.export was called
  std::string state;                                      ///< on its way out of one generation, or into the next
  std::string typed;                                      ///< by an operator; then what came out
  bool authorizes = false;                                ///< gw.authorize was called
  std::string_view destination_app, destination_pattern;  ///< of the message that gw.authorize is asked about
  std::string refusal;                                    ///< of it; empty: allowed
};

/// Adds the functions that the prelude expects to the table on top of the stack:
///   has_file(path) → boolean
///   compile(path) → function | nil, reason
///   compile_typed(prefix) → function | nil, reason
///   keep_typed(result)
///   register(pattern, where, timeout | nil, ordered, on_error, priority, once | nil, key | nil) → nil | reason
///   route(pattern, target) → nil | reason
///   declare_authorize(), destination() → app, pattern, allow(), refuse(reason)
///   log(level, text, fields | nil)
///   must_end() → boolean, check_stack()
void add_lua_functions(lua_State* state, LuaContext& context);

}  // namespace godwit::host

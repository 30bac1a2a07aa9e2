#pragma once

#include <lua.hpp>

namespace godwit::host {

/// Pushes a table with find, match, gmatch and gsub: what LuaJIT's own do, but on LuaMatch, so that a script's time
/// limit holds inside of them as well.
void push_bounded_strings(lua_State* state);

}  // namespace godwit::host

#pragma once

struct lua_State;

namespace godwit::host {

/// Raises an error when little is left of the C stack of this thread. LuaJIT bounds its own stack alone: what calls
/// back into Lua from C, or resumes a coroutine, asks this first, or a recursion through it would end the process.
void check_stack(lua_State* state);

}  // namespace godwit::host

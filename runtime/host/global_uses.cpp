#include "host/global_uses.h"

#include <lua.hpp>

#include <memory>

#include "host/prelude.h"

namespace godwit::host {
namespace {

using State = std::unique_ptr<lua_State, decltype(&lua_close)>;

struct Request {
  std::string_view text;
  std::string chunk;
  std::vector<GlobalUse> uses;
};

/// (name, line, set, in function)
int report(lua_State* state) {
  auto& request = *static_cast<Request*>(lua_touserdata(state, lua_upvalueindex(1)));
  size_t size = 0;
  const char* name = lua_tolstring(state, 1, &size);
  request.uses.push_back({std::string(name, size), static_cast<int>(lua_tointeger(state, 2)),
                          lua_toboolean(state, 3) != 0, lua_toboolean(state, 4) != 0});
  return 0;
}

int inspect(lua_State* state) {
  auto& request = *static_cast<Request*>(lua_touserdata(state, 1));
  luaL_openlibs(state);
  const std::string_view lint = prelude_text("lint.lua");
  if (luaL_loadbufferx(state, lint.data(), lint.size(), "@godwit/lint.lua", "t") != 0) return lua_error(state);
  lua_getglobal(state, "require");
  lua_pushliteral(state, "jit.util");
  lua_call(state, 1, 1);
  lua_call(state, 1, 1);
  lua_pushlstring(state, request.text.data(), request.text.size());
  lua_pushlstring(state, request.chunk.data(), request.chunk.size());
  lua_pushlightuserdata(state, &request);
  lua_pushcclosure(state, report, 1);
  lua_call(state, 3, 0);
  return 0;
}

}  // namespace

Result<std::vector<GlobalUse>> global_uses(std::string_view text, const std::string& where) {
  const State state(luaL_newstate(), &lua_close);
  if (!state) return fail(Code::kScriptMemory, where);
  Request request{text, "@" + where, {}};
  if (lua_cpcall(state.get(), inspect, &request) != 0) {
    const char* reason = lua_tostring(state.get(), -1);
    return fail(Code::kScriptLoadFailed, reason ? reason : where);
  }
  return std::move(request.uses);
}

}  // namespace godwit::host

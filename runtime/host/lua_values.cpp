#include "host/lua_values.h"

#include <charconv>

#include "host/lua_bridge_types.h"

namespace godwit::host {

std::string_view check_text(lua_State* state, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

/// 0, which is nobody's, for what cannot be a key.
SessionKey read_key(lua_State* state, int index) {
  if (lua_type(state, index) == LUA_TNUMBER) {
    const double number = lua_tonumber(state, index);
    return number > 0 && number < 0x1p53 ? static_cast<SessionKey>(number) : 0;
  }
  if (lua_type(state, index) != LUA_TSTRING) return 0;
  const std::string_view text = check_text(state, index);
  SessionKey key = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
  return error == std::errc() && end == text.data() + text.size() ? key : 0;
}

void push_key(lua_State* state, SessionKey key) {
  if (to_lua_id(key) >= 0) return lua_pushnumber(state, to_lua_id(key));
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), key);
  lua_pushlstring(state, text, static_cast<size_t>(end - text));
}

void push_text(lua_State* state, std::string_view text) { lua_pushlstring(state, text.data(), text.size()); }

void set_text(lua_State* state, const char* name, std::string_view text) {
  if (text.empty()) return;
  push_text(state, text);
  lua_setfield(state, -2, name);
}

void set_number(lua_State* state, const char* name, double value) {
  lua_pushnumber(state, value);
  lua_setfield(state, -2, name);
}

void read_value(lua_State* state, int index, std::optional<Value>& value) {
  switch (lua_type(state, index)) {
    case LUA_TSTRING: value = Value(std::string(check_text(state, index))); break;
    case LUA_TNUMBER: value = Value(lua_tonumber(state, index)); break;
    case LUA_TBOOLEAN: value = Value(lua_toboolean(state, index) != 0); break;
    default: value = std::nullopt; break;
  }
}

int push_value(lua_State* state, const std::optional<Value>& value) {
  if (!value) return 0;
  if (const auto* text = std::get_if<std::string>(&*value)) {
    push_text(state, *text);
  } else if (const auto* number = std::get_if<double>(&*value)) {
    lua_pushnumber(state, *number);
  } else {
    lua_pushboolean(state, std::get<bool>(*value));
  }
  return 1;
}

void push_info(lua_State* state, const SessionInfo& info) {
  lua_createtable(state, 0, 6);
  push_key(state, info.key);
  lua_setfield(state, -2, "id");
  set_text(state, "client_id", info.client_id);
  set_text(state, "uid", info.uid);
  set_text(state, "address", info.address);
}

}  // namespace godwit::host

#pragma once

#include <lua.hpp>

#include <optional>
#include <string_view>

#include "host/services.h"
#include "host/value.h"

namespace godwit::host {

/// How the prelude's C functions read and push what both sides know. Those that raise own nothing.
std::string_view check_text(lua_State* state, int index);
void push_text(lua_State* state, std::string_view text);
/// A field of the table on top of the stack; none for empty text.
void set_text(lua_State* state, const char* name, std::string_view text);
void set_number(lua_State* state, const char* name, double value);

/// 0, which is nobody's, for what cannot be a key.
SessionKey read_key(lua_State* state, int index);
/// A number, or text where a number cannot hold it.
void push_key(lua_State* state, SessionKey key);
/// A table of id, client_id, uid and address.
void push_info(lua_State* state, const SessionInfo& info);

/// nullopt for what is no value.
void read_value(lua_State* state, int index, std::optional<Value>& value);
/// How many it pushed: none for nullopt.
int push_value(lua_State* state, const std::optional<Value>& value);

}  // namespace godwit::host

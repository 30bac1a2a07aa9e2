#include "host/lua_strings.h"

#include <cstring>
#include <string_view>

#include "host/lua_match.h"
#include "host/lua_vm.h"
#include "host/stack_guard.h"

// Lua errors leave these functions by unwinding: nothing here owns anything.

namespace godwit::host {
namespace {

constexpr std::string_view kSpecials = "^$*+?.([%-";

std::string_view check_text(lua_State* state, int argument) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, argument, &size);
  return {text, size};
}

LuaMatch::Interrupt time_limit_of(lua_State* state) {
  return {[](void* watch) { return static_cast<Watch*>(watch)->overdue(); }, &LuaVm::of(state).watch()};
}

void raise_if_failed(lua_State* state, const LuaMatch& match) {
  if (match.interrupted()) {
    lua_Debug place;
    if (lua_getstack(state, 1, &place)) LuaVm::of(state).watch().raise(state, &place);
  }
  if (match.error()) luaL_error(state, "%s", match.error());
}

/// The optional third argument, counted from 1 or from the end, as a position from 0.
size_t check_start(lua_State* state, int argument, size_t size) {
  const lua_Integer start = luaL_optinteger(state, argument, 1);
  if (start > 0) return static_cast<size_t>(start) - 1;
  const size_t from_end = 0 - static_cast<size_t>(start);
  return start == 0 || from_end > size ? 0 : size - from_end;
}

/// An optional number of times, at most `most`.
size_t check_count(lua_State* state, int argument, size_t most) {
  const lua_Number count = luaL_optnumber(state, argument, static_cast<lua_Number>(most));
  if (!(count > 0)) return 0;
  return count < static_cast<lua_Number>(most) ? static_cast<size_t>(count) : most;
}

void push_capture(lua_State* state, std::string_view subject, const LuaMatch::Capture& capture) {
  if (capture.is_position) {
    lua_pushinteger(state, static_cast<lua_Integer>(capture.begin) + 1);
  } else {
    lua_pushlstring(state, subject.data() + capture.begin, capture.size);
  }
}

struct Found {
  size_t begin;
  size_t end;
};

/// Pushes all captures, or the whole match where there are none and `whole` asks for it.
enum class Whole { kNever, kWithoutCaptures };
int push_captures(lua_State* state, std::string_view subject, const LuaMatch& match, Found found, Whole whole) {
  const int count = static_cast<int>(match.capture_count());
  luaL_checkstack(state, count + 1, "too many captures");
  for (int i = 0; i < count; ++i) push_capture(state, subject, match.capture(static_cast<size_t>(i)));
  if (count > 0 || whole == Whole::kNever) return count;
  lua_pushlstring(state, subject.data() + found.begin, found.end - found.begin);
  return 1;
}

int push_range(lua_State* state, Found found) {
  lua_pushinteger(state, static_cast<lua_Integer>(found.begin) + 1);
  lua_pushinteger(state, static_cast<lua_Integer>(found.end));
  return 2;
}

int find_plain(lua_State* state, std::string_view subject, std::string_view text, size_t start) {
  // memmem takes linear time where naive search takes the product of both lengths.
  const void* at = memmem(subject.data() + start, subject.size() - start, text.data(), text.size());
  if (!at) return lua_pushnil(state), 1;
  const size_t begin = static_cast<size_t>(static_cast<const char*>(at) - subject.data());
  return push_range(state, {begin, begin + text.size()});
}

int string_find(lua_State* state) {
  const std::string_view subject = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const size_t start = check_start(state, 3, subject.size());
  if (start > subject.size()) return lua_pushnil(state), 1;
  if (lua_toboolean(state, 4) || pattern.find_first_of(kSpecials) == pattern.npos) {
    return find_plain(state, subject, pattern, start);
  }
  LuaMatch match(subject, pattern, LuaMatch::Caret::kAnchors, time_limit_of(state));
  Found found{};
  const auto end = match.search(start, found.begin);
  raise_if_failed(state, match);
  if (!end) return lua_pushnil(state), 1;
  found.end = *end;
  return push_range(state, found) + push_captures(state, subject, match, found, Whole::kNever);
}

int string_match(lua_State* state) {
  const std::string_view subject = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const size_t start = check_start(state, 3, subject.size());
  if (start > subject.size()) return lua_pushnil(state), 1;
  LuaMatch match(subject, pattern, LuaMatch::Caret::kAnchors, time_limit_of(state));
  Found found{};
  const auto end = match.search(start, found.begin);
  raise_if_failed(state, match);
  if (!end) return lua_pushnil(state), 1;
  found.end = *end;
  return push_captures(state, subject, match, found, Whole::kWithoutCaptures);
}

/// Upvalues: subject, pattern, position to go on from.
int gmatch_next(lua_State* state) {
  const std::string_view subject = check_text(state, lua_upvalueindex(1));
  const std::string_view pattern = check_text(state, lua_upvalueindex(2));
  const auto start = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(3)));
  LuaMatch match(subject, pattern, LuaMatch::Caret::kLiteral, time_limit_of(state));
  Found found{};
  const auto end = match.search(start, found.begin);
  raise_if_failed(state, match);
  if (!end) return 0;
  found.end = *end;
  const size_t next = found.end > found.begin ? found.end : found.end + 1;
  lua_pushinteger(state, static_cast<lua_Integer>(next));
  lua_replace(state, lua_upvalueindex(3));
  return push_captures(state, subject, match, found, Whole::kWithoutCaptures);
}

int string_gmatch(lua_State* state) {
  check_text(state, 1);
  check_text(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, gmatch_next, 3);
  return 1;
}

/// Capture `index` from 0; index 0 is the whole match where there are no captures.
void push_one_capture(lua_State* state, std::string_view subject, const LuaMatch& match, Found found, size_t index) {
  if (index < match.capture_count()) return push_capture(state, subject, match.capture(index));
  if (index > 0) luaL_error(state, "invalid capture index");
  lua_pushlstring(state, subject.data() + found.begin, found.end - found.begin);
}

/// A replacement text with %0 … %9 in it.
void add_template(lua_State* state, luaL_Buffer& out, std::string_view subject, const LuaMatch& match, Found found) {
  const std::string_view text = check_text(state, 3);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      luaL_addchar(&out, text[i]);
      continue;
    }
    const char escaped = ++i < text.size() ? text[i] : '\0';
    if (escaped == '0') {
      luaL_addlstring(&out, subject.data() + found.begin, found.end - found.begin);
    } else if (escaped >= '1' && escaped <= '9') {
      push_one_capture(state, subject, match, found, static_cast<size_t>(escaped - '1'));
      luaL_addvalue(&out);
    } else {
      luaL_addchar(&out, escaped);
    }
  }
}

/// What a table or function says instead of the match; nil and false keep it.
void add_looked_up(lua_State* state, luaL_Buffer& out, std::string_view subject, const LuaMatch& match, Found found) {
  if (lua_istable(state, 3)) {
    push_one_capture(state, subject, match, found, 0);
    lua_gettable(state, 3);
  } else {
    lua_pushvalue(state, 3);
    lua_call(state, push_captures(state, subject, match, found, Whole::kWithoutCaptures), 1);
  }
  if (!lua_toboolean(state, -1)) {
    lua_pop(state, 1);
    lua_pushlstring(state, subject.data() + found.begin, found.end - found.begin);
  } else if (!lua_isstring(state, -1)) {
    luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
  }
  luaL_addvalue(&out);
}

int string_gsub(lua_State* state) {
  check_stack(state);
  const std::string_view subject = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const int kind = lua_type(state, 3);
  if (kind != LUA_TNUMBER && kind != LUA_TSTRING && kind != LUA_TTABLE && kind != LUA_TFUNCTION) {
    return luaL_argerror(state, 3, "string, table or function expected");
  }
  const size_t count_max = check_count(state, 4, subject.size() + 1);
  LuaMatch match(subject, pattern, LuaMatch::Caret::kAnchors, time_limit_of(state));
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  size_t position = 0;
  size_t count = 0;
  while (count < count_max) {
    const auto end = match.match_at(position);
    raise_if_failed(state, match);
    if (end) {
      ++count;
      const Found found{position, *end};
      if (kind == LUA_TTABLE || kind == LUA_TFUNCTION) {
        add_looked_up(state, out, subject, match, found);
      } else {
        add_template(state, out, subject, match, found);
      }
    }
    if (end && *end > position) {
      position = *end;
    } else if (position < subject.size()) {
      luaL_addchar(&out, subject[position++]);
    } else {
      break;
    }
    if (match.is_anchored()) break;
  }
  if (position < subject.size()) luaL_addlstring(&out, subject.data() + position, subject.size() - position);
  luaL_pushresult(&out);
  lua_pushinteger(state, static_cast<lua_Integer>(count));
  return 2;
}

}  // namespace

void push_bounded_strings(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub}};
  lua_createtable(state, 0, 4);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host

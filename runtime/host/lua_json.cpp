#include "host/lua_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

// Lua errors leave a function by unwinding past C++: what owns memory lies in the scratch, or in inner functions that
// call nothing that raises.

namespace godwit::host {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 100;
constexpr int kSlotsPerLevel = 6;
constexpr double kWholeMax = 9007199254740992;  ///< 2^53: all smaller whole numbers are exact

JsonScratch& scratch_of(lua_State* state) {
  return *static_cast<JsonScratch*>(lua_touserdata(state, lua_upvalueindex(1)));
}

/// Turns the value on top of the stack into a document. Raises nothing: it looks at tables without their metamethods.
class Encoder {
 public:
  Encoder(lua_State* state, int null, int array_mark) : state_(state), null_(null), array_mark_(array_mark) {}

  bool encode(int index, Json& out, int depth) {
    switch (lua_type(state_, index)) {
      case LUA_TBOOLEAN: out = lua_toboolean(state_, index) != 0; return true;
      case LUA_TNUMBER: return encode_number(lua_tonumber(state_, index), out);
      case LUA_TSTRING: {
        size_t size = 0;
        const char* text = lua_tolstring(state_, index, &size);
        out = std::string(text, size);
        return true;
      }
      case LUA_TTABLE: return encode_table(index, out, depth);
      default: return refuse(fmt::format("a value of type {} has no JSON form", luaL_typename(state_, index)));
    }
  }
  const std::string& reason() const { return reason_; }

 private:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  bool encode_number(double number, Json& out) {
    if (!std::isfinite(number)) return refuse("a number that is not finite has no JSON form");
    if (number == std::floor(number) && std::abs(number) <= kWholeMax)
      out = static_cast<int64_t>(number);
    else
      out = number;
    return true;
  }

  bool is_array(int table, size_t& count) {
    if (lua_getmetatable(state_, table)) {
      const bool marked = lua_rawequal(state_, -1, array_mark_) != 0;
      lua_pop(state_, 1);
      count = lua_objlen(state_, table);
      if (marked) return true;
    }
    count = lua_objlen(state_, table);
    if (count == 0) return false;
    size_t keys = 0;
    lua_pushnil(state_);
    while (lua_next(state_, table) != 0) {
      lua_pop(state_, 1);
      ++keys;
    }
    return keys == count;
  }

  bool encode_table(int table, Json& out, int depth) {
    if (lua_rawequal(state_, table, null_)) {
      out = nullptr;
      return true;
    }
    if (depth >= kDepthMax)
      return refuse(fmt::format("more than {} levels, or a table that contains itself", kDepthMax));
    size_t count = 0;
    return is_array(table, count) ? encode_array(table, count, out, depth) : encode_object(table, out, depth);
  }

  bool encode_array(int table, size_t count, Json& out, int depth) {
    out = Json::array();
    for (size_t i = 1; i <= count; ++i) {
      lua_rawgeti(state_, table, static_cast<int>(i));
      out.emplace_back();
      const bool good = encode(lua_gettop(state_), out.back(), depth + 1);
      lua_pop(state_, 1);
      if (!good) return false;
    }
    return true;
  }

  bool encode_object(int table, Json& out, int depth) {
    out = Json::object();
    lua_pushnil(state_);
    while (lua_next(state_, table) != 0) {
      if (lua_type(state_, -2) != LUA_TSTRING) {
        return refuse(fmt::format("an object's keys must be strings, one is a {}", luaL_typename(state_, -2)));
      }
      size_t size = 0;
      const char* key = lua_tolstring(state_, -2, &size);
      if (!encode(lua_gettop(state_), out[std::string(key, size)], depth + 1)) return false;
      lua_pop(state_, 1);
    }
    return true;
  }

  lua_State* state_;
  const int null_;
  const int array_mark_;
  std::string reason_;
};

/// False: the reason why not is in `text`.
bool encode_into(lua_State* state, std::string& text) {
  try {
    Encoder encoder(state, 2, 3);
    Json document;
    const bool good = encoder.encode(1, document, 0);
    text = good ? document.dump() : encoder.reason();
    return good;
  } catch (const Json::exception&) {
    text = "a string is not UTF-8";
  } catch (const std::bad_alloc&) {
    text = "not enough memory";
  }
  return false;
}

/// What stands in the scratch on top of the stack: nil and the reason.
int refuse(lua_State* state, JsonScratch& scratch) {
  lua_pushnil(state);
  lua_pushlstring(state, scratch.text.data(), scratch.text.size());
  return 2;
}

int json_encode(lua_State* state) {
  JsonScratch& scratch = scratch_of(state);
  luaL_checkany(state, 3);
  lua_settop(state, 3);
  luaL_checkstack(state, (kDepthMax + 2) * kSlotsPerLevel, "JSON");
  if (!encode_into(state, scratch.text)) return refuse(state, scratch);
  lua_pushlstring(state, scratch.text.data(), scratch.text.size());
  scratch.text.clear();
  return 1;
}

/// The document, or null and the reason.
std::shared_ptr<Json> parse(std::string_view text, std::string& reason) {
  try {
    const auto check_depth = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kDepthMax) throw std::length_error("depth");
      return true;
    };
    return std::make_shared<Json>(Json::parse(text.begin(), text.end(), check_depth));
  } catch (const Json::parse_error& error) {
    reason = fmt::format("malformed JSON at byte {}", error.byte);
  } catch (const std::length_error&) {
    reason = fmt::format("JSON of more than {} levels", kDepthMax);
  } catch (const std::exception&) {
    reason = "malformed JSON";
  }
  return nullptr;
}

void push(lua_State* state, const Json& value, int null) {
  switch (value.type()) {
    case Json::value_t::boolean: return lua_pushboolean(state, value.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: return lua_pushnumber(state, value.get<double>());
    case Json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      return lua_pushlstring(state, text.data(), text.size());
    }
    case Json::value_t::array: {
      lua_createtable(state, static_cast<int>(value.size()), 0);
      int index = 0;
      for (const Json& item : value) {
        push(state, item, null);
        lua_rawseti(state, -2, ++index);
      }
      return;
    }
    case Json::value_t::object: {
      lua_createtable(state, 0, static_cast<int>(value.size()));
      for (auto item = value.begin(); item != value.end(); ++item) {
        lua_pushlstring(state, item.key().data(), item.key().size());
        push(state, item.value(), null);
        lua_rawset(state, -3);
      }
      return;
    }
    default: return lua_pushvalue(state, null);
  }
}

int json_decode(lua_State* state) {
  JsonScratch& scratch = scratch_of(state);
  size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  luaL_checkany(state, 2);
  luaL_checkstack(state, (kDepthMax + 2) * kSlotsPerLevel, "JSON");
  scratch.document = parse({text, size}, scratch.text);
  if (!scratch.document) return refuse(state, scratch);
  push(state, *static_cast<const Json*>(scratch.document.get()), 2);
  scratch.document.reset();
  return 1;
}

}  // namespace

void add_json_functions(lua_State* state, JsonScratch& scratch) {
  static constexpr luaL_Reg kFunctions[] = {{"json_encode", json_encode}, {"json_decode", json_decode}};
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, &scratch);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host

#include "host/lua_http.h"

#include <algorithm>
#include <string_view>

// Lua errors leave these functions by unwinding: what owns memory lies in the LuaHttp, or in inner functions which do
// not raise.

namespace godwit::host {
namespace {

std::string_view check_text(lua_State* state, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

/// Lines of one name make one entry; cookies, whose values have commas, keep their lines.
void add_header(std::vector<std::pair<std::string, std::string>>& headers, std::string name, std::string value) {
  const auto known = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  if (known == headers.end()) {
    headers.emplace_back(std::move(name), std::move(value));
  } else {
    known->second += (name == "set-cookie" ? "\n" : ", ") + value;
  }
}

Wake to_wake(Result<HttpResponse> outcome) {
  if (!outcome) return {.text = outcome.error().text, .number = -static_cast<double>(outcome.error().code)};
  Wake wake{.body = std::move(outcome->body), .number = static_cast<double>(outcome->status)};
  for (auto& [name, value] : outcome->headers) add_header(wake.headers, std::move(name), std::move(value));
  return wake;
}

}  // namespace

Status LuaHttp::start(WaitToken token) {
  if (!client_) return fail(Code::kHttpForbidden, "nothing outside can be asked here");
  return client_->start(unit_, std::move(request_), [answers = answers_, token](Result<HttpResponse> outcome) {
    answers->put(token, to_wake(std::move(outcome)));
  });
}

int LuaHttp::begin(lua_State* state) {
  auto& self = *static_cast<LuaHttp*>(lua_touserdata(state, lua_upvalueindex(1)));
  const auto token = static_cast<WaitToken>(luaL_checknumber(state, 1));
  HttpRequest& request = self.request_;
  request.method = check_text(state, 2);
  request.url = check_text(state, 3);
  request.body = check_text(state, 4);
  request.timeout = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(luaL_checknumber(state, 5)));
  request.body_bytes_max = static_cast<size_t>(luaL_checknumber(state, 6));
  request.headers.clear();
  const size_t count = lua_objlen(state, 7);
  for (size_t i = 1; i + 1 <= count; i += 2) {
    lua_rawgeti(state, 7, static_cast<int>(i));
    lua_rawgeti(state, 7, static_cast<int>(i + 1));
    request.headers.emplace_back(check_text(state, -2), check_text(state, -1));
    lua_pop(state, 2);
  }
  if (Status begun = self.start(token); !begun) {
    self.error_ = std::move(begun.error());
  } else {
    self.error_.code = Code::kOk;
  }
  if (self.error_.code == Code::kOk) {
    lua_pushboolean(state, 1);
    return 1;
  }
  lua_pushnil(state);
  lua_pushinteger(state, static_cast<lua_Integer>(self.error_.code));
  lua_pushlstring(state, self.error_.text.data(), self.error_.text.size());
  return 3;
}

void LuaHttp::add_to(lua_State* state) {
  lua_pushlightuserdata(state, this);
  lua_pushcclosure(state, begin, 1);
  lua_setfield(state, -2, "http_request");
}

}  // namespace godwit::host

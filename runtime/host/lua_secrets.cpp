#include "host/lua_secrets.h"

#include <algorithm>

#include "base/hmac.h"
#include "host/lua_vm.h"

// Lua errors leave these functions by unwinding: what owns memory lies in inner functions which do not raise.

namespace godwit::host {
namespace {

constexpr size_t kSliceBytes = 256 << 10;  ///< some milliseconds of hashing: how often the time limit is looked at

Bytes check_bytes(lua_State* state, int argument) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, argument, &size);
  return as_bytes({text, size});
}

template <typename Hasher>
int push_digest(lua_State* state, Hasher hasher, Bytes bytes) {
  while (!bytes.empty()) {
    const size_t size = std::min(kSliceBytes, bytes.size());
    hasher.add(bytes.first(size));
    bytes = bytes.subspan(size);
    LuaVm::end_if_overdue(state);
  }
  const Sha256 digest = hasher.finish();
  char digits[2 * digest.size()];
  to_hex(digest).copy(digits, sizeof(digits));
  lua_pushlstring(state, digits, sizeof(digits));
  return 1;
}

int hash(lua_State* state) { return push_digest(state, Sha256Hasher(), check_bytes(state, 1)); }

int authenticate(lua_State* state) {
  return push_digest(state, HmacSha256(check_bytes(state, 1)), check_bytes(state, 2));
}

int equal(lua_State* state) {
  lua_pushboolean(state, equal_in_constant_time(check_bytes(state, 1), check_bytes(state, 2)));
  return 1;
}

template <UuidSource::Uuid (UuidSource::*kMake)()>
int make_uuid(lua_State* state) {
  auto& uuids = *static_cast<UuidSource*>(lua_touserdata(state, lua_upvalueindex(1)));
  char text[36];
  to_text((uuids.*kMake)()).copy(text, sizeof(text));
  lua_pushlstring(state, text, sizeof(text));
  return 1;
}

}  // namespace

void add_secret_functions(lua_State* state, UuidSource* uuids) {
  static constexpr luaL_Reg kHashes[] = {{"sha256", hash}, {"hmac_sha256", authenticate}, {"equal", equal}};
  static constexpr luaL_Reg kIds[] = {{"uuid_v4", make_uuid<&UuidSource::v4>}, {"uuid_v7", make_uuid<&UuidSource::v7>}};
  for (const luaL_Reg& function : kHashes) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
  if (!uuids) return;
  for (const luaL_Reg& function : kIds) {
    lua_pushlightuserdata(state, uuids);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host

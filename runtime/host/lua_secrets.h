#pragma once

#include <lua.hpp>

#include "host/uuid_source.h"

namespace godwit::host {

/// Adds to the table on top of the stack what scripts make and check secrets with:
///   uuid_v4(), uuid_v7() → text
///   sha256(bytes), hmac_sha256(key, bytes) → 64 hex digits
///   equal(bytes, bytes) → boolean, in constant time
/// `uuids` must outlive the VM; without it there are no uuid functions.
void add_secret_functions(lua_State* state, UuidSource* uuids);

}  // namespace godwit::host

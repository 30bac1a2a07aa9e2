#pragma once

#include <lua.hpp>

namespace godwit::host {

/// Adds to the table on top of the stack:
///   zstd_compress(bytes, level) → bytes | nil, code, text
///   zstd_decompress(bytes, bytes_max) → bytes | nil, code, text
/// All they work in is memory of the VM, and counts towards its limit. Nothing is allocated for a result that would be
/// larger than `bytes_max`.
void add_zstd_functions(lua_State* state);

}  // namespace godwit::host

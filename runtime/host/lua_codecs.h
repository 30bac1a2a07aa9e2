#pragma once

#include <lua.hpp>

#include <string>

namespace godwit::host {

/// Adds to the table on top of the stack functions of one text each:
///   base64_encode, hex_encode → text          base64_decode, hex_decode → text | nil
///   xxh3 → 16 hex digits (XXH3, 64 bits)      crc32c → 8 hex digits (Castagnoli)
/// `scratch` is worked in, because a Lua error leaves a function without running destructors; it must outlive the VM.
void add_codec_functions(lua_State* state, std::string& scratch);

}  // namespace godwit::host

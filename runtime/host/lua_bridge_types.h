#pragma once

#include <cstdint>
#include <string_view>

namespace godwit::host {

#include "host/bridge_types.inc"

inline gw_text to_plain(std::string_view text) { return {text.data(), static_cast<uint32_t>(text.size())}; }

/// Numbers in Lua are doubles: a larger id would be another one.
inline double to_lua_id(uint64_t id) { return id < (uint64_t{1} << 53) ? static_cast<double>(id) : -1.0; }

}  // namespace godwit::host

#pragma once

#include <godwit/plugin.h>

#include <string_view>

#include "base/bytes.h"

namespace godwit::host {

// Between the views of the plugin interface and ours. Nothing is copied.

inline gw_text plain(std::string_view text) { return {text.data(), text.size()}; }
inline gw_bytes plain(Bytes bytes) { return {bytes.data(), bytes.size()}; }

/// A size without anything to point to is a mistake of the caller; it is taken for nothing.
inline std::string_view view(gw_text text) { return {text.data ? text.data : "", text.data ? text.size : 0}; }
inline Bytes view(gw_bytes bytes) { return {bytes.data, bytes.data ? bytes.size : 0}; }

template <typename View>
bool is_sound(View given) {
  return given.data != nullptr || given.size == 0;
}

}  // namespace godwit::host

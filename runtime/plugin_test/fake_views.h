#pragma once

#include <godwit/plugin.h>

#include <string_view>

namespace godwit::plugin_test {

// Between the views of the plugin interface and those of C++. Nothing is copied.

inline std::string_view view(gw_text text) { return {text.data ? text.data : "", text.data ? text.size : 0}; }
inline std::string_view view(gw_bytes bytes) {
  return {bytes.data ? reinterpret_cast<const char*>(bytes.data) : "", bytes.data ? bytes.size : 0};
}
inline gw_text plain(std::string_view text) { return {text.data(), text.size()}; }
inline gw_bytes plain_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename View>
bool is_sound(View given) {
  return given.data != nullptr || given.size == 0;
}

}  // namespace godwit::plugin_test

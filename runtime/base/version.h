#pragma once

#include <string_view>

namespace godwit {

/// From meson.build, the one place where the version is written.
inline constexpr std::string_view kVersion = GODWIT_VERSION;
/// What both sides call themselves in the greeting.
inline constexpr std::string_view kAgentName = "godwit/" GODWIT_VERSION;

}  // namespace godwit

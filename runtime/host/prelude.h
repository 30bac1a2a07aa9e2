#pragma once

#include <string_view>

namespace godwit::host {

/// The text of a file of host/lua, or of bridge_types.inc, as built into the program. Empty for an unknown name.
std::string_view prelude_text(std::string_view name);

}  // namespace godwit::host

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace godwit {

/// Two lower-case digits a byte.
std::string to_hex(Bytes bytes);
/// Only lower-case digits, and whole bytes: so that a text and its bytes are one and the same.
std::optional<std::vector<uint8_t>> from_hex(std::string_view text);

}  // namespace godwit

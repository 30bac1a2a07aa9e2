#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace godwit {

/// SHA-256 (FIPS 180-4), of something that is in memory whole.
using Sha256 = std::array<uint8_t, 32>;
Sha256 sha256(Bytes bytes);

/// 64 lower-case digits.
std::string to_hex(const Sha256& digest);
/// Exactly 64 hexadecimal digits of either case.
std::optional<Sha256> parse_sha256(std::string_view hex);

}  // namespace godwit

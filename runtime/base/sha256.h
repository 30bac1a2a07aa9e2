#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace godwit {

/// SHA-256 (FIPS 180-4).
using Sha256 = std::array<uint8_t, 32>;

/// Of something that is in memory whole.
Sha256 sha256(Bytes bytes);

/// Of something that comes in parts.
class Sha256Hasher {
 public:
  void add(Bytes bytes);
  /// Of all that was added; afterwards it is used up.
  Sha256 finish();

 private:
  static constexpr size_t kBlockBytes = 64;

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, kBlockBytes> rest_;  ///< what does not fill a block yet
  uint64_t total_bytes_ = 0;
};

/// 64 lower-case digits.
std::string to_hex(const Sha256& digest);
/// Exactly 64 hexadecimal digits of either case.
std::optional<Sha256> parse_sha256(std::string_view hex);

}  // namespace godwit

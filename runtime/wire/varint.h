#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace godwit::wire {

/// QUIC's variable-length integer (RFC 9000 §16): the two high bits of the first byte say how many bytes there are, 1,
/// 2, 4 or 8.
inline constexpr uint64_t kVarintMax = (uint64_t{1} << 62) - 1;
inline constexpr size_t kVarintBytesMax = 8;

/// Length of the shortest form. `value` is at most kVarintMax.
constexpr size_t varint_bytes(uint64_t value) {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000'0000 ? 4 : 8;
}

/// Writes the shortest form and returns the place behind it.
inline uint8_t* put_varint(uint8_t* out, uint64_t value) {
  const size_t bytes = varint_bytes(value);
  const unsigned prefix = std::countr_zero(bytes);
  for (size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<uint8_t>(value);
  out[0] |= static_cast<uint8_t>(prefix << 6);
  return out + bytes;
}

struct Varint {
  uint64_t value;
  size_t bytes;  ///< that it takes
};

/// Any form, not only the shortest. Nothing while bytes are missing.
inline std::optional<Varint> get_varint(Bytes in) {
  if (in.empty()) return std::nullopt;
  const size_t bytes = size_t{1} << (in[0] >> 6);
  if (in.size() < bytes) return std::nullopt;
  uint64_t value = in[0] & 0x3f;
  for (size_t i = 1; i < bytes; ++i) value = value << 8 | in[i];
  return Varint{value, bytes};
}

}  // namespace godwit::wire

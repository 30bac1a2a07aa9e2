#include "base/hmac.h"

#include <algorithm>

namespace godwit {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr uint8_t kInnerPad = 0x36;
constexpr uint8_t kOuterPad = 0x5c;

}  // namespace

HmacSha256::HmacSha256(Bytes key) {
  std::array<uint8_t, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    std::ranges::copy(sha256(key), block.begin());
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (uint8_t& byte : block) byte ^= kInnerPad;
  inner_.add(block);
  for (uint8_t& byte : block) byte ^= kInnerPad ^ kOuterPad;
  outer_.add(block);
}

Sha256 HmacSha256::finish() {
  outer_.add(inner_.finish());
  return outer_.finish();
}

bool equal_in_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  // Volatile: the compiler must not end the loop at the first difference.
  volatile uint8_t differences = 0;
  for (size_t i = 0; i < a.size(); ++i) differences = static_cast<uint8_t>(differences | (a[i] ^ b[i]));
  return differences == 0;
}

}  // namespace godwit

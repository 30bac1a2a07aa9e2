#include "host/uuid_source.h"

#include <algorithm>
#include <cstring>

namespace godwit::host {
namespace {

constexpr uint64_t kHighMax = (1 << 12) - 1;
constexpr uint64_t kLowMax = (uint64_t{1} << 62) - 1;
constexpr uint64_t kVariant = uint64_t{2} << 62;

UuidSource::Uuid join(uint64_t first, uint64_t second) {
  UuidSource::Uuid uuid;
  for (size_t i = 0; i < 8; ++i) {
    uuid[i] = static_cast<uint8_t>(first >> (56 - 8 * i));
    uuid[8 + i] = static_cast<uint8_t>(second >> (56 - 8 * i));
  }
  return uuid;
}

}  // namespace

uint64_t UuidSource::random() {
  if (used_ == block_.size()) {
    entropy_.fill(block_);
    used_ = 0;
  }
  uint64_t bits;
  std::memcpy(&bits, block_.data() + used_, sizeof(bits));
  // What was given out is not kept: it may have become a secret.
  std::memset(block_.data() + used_, 0, sizeof(bits));
  used_ += sizeof(bits);
  return bits;
}

UuidSource::Uuid UuidSource::v4() {
  const uint64_t first = (random() & ~uint64_t{0xf000}) | 0x4000;
  return join(first, (random() & kLowMax) | kVariant);
}

void UuidSource::begin_millisecond(uint64_t unix_ms) {
  unix_ms_ = unix_ms;
  high_ = random() & (kHighMax >> 1);  // half of the range is left to count through
  low_ = random() & kLowMax;
}

/// Within a millisecond the random bits are increased by a random step, so that the next id cannot be guessed.
UuidSource::Uuid UuidSource::v7() {
  const auto now_ms = static_cast<uint64_t>(std::max<int64_t>(0, clock_.unix_us() / 1000));
  if (now_ms > unix_ms_) {
    begin_millisecond(now_ms);
  } else {
    low_ += 1 + (random() >> 32);
    high_ += low_ > kLowMax ? 1 : 0;
    low_ &= kLowMax;
    if (high_ > kHighMax) begin_millisecond(unix_ms_ + 1);
  }
  return join(unix_ms_ << 16 | 0x7000 | high_, low_ | kVariant);
}

std::string to_text(const UuidSource::Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    (text += kDigits[uuid[i] >> 4]) += kDigits[uuid[i] & 15];
  }
  return text;
}

}  // namespace godwit::host

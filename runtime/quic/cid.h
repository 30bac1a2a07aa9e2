#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "port/entropy.h"

namespace godwit::quic {

/// A QUIC connection id by value: 0 to 20 bytes (RFC 9000, section 17.2).
class Cid {
 public:
  static constexpr size_t kBytesMax = 20;

  Cid() = default;
  explicit Cid(Bytes bytes) : size_(static_cast<uint8_t>(bytes.size())) {
    GW_CHECK(bytes.size() <= kBytesMax);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }

  Bytes bytes() const { return {bytes_.data(), size_}; }
  bool operator==(const Cid& other) const = default;

 private:
  std::array<uint8_t, kBytesMax> bytes_{};  // unused ones stay zero, so that equality may compare all
  uint8_t size_ = 0;
};

/// Hash of connection ids under a secret: peers choose ids, and must not be able to make them collide.
class CidHash {
 public:
  CidHash() = default;
  explicit CidHash(Entropy& entropy) { entropy.fill({reinterpret_cast<uint8_t*>(keys_), sizeof keys_}); }

  size_t operator()(const Cid& cid) const {
    uint64_t words[3] = {};
    const Bytes bytes = cid.bytes();
    std::memcpy(words, bytes.data(), bytes.size());
    return fold(fold(words[0] ^ keys_[0], words[1] ^ keys_[1]) ^ keys_[2], words[2] ^ keys_[3] ^ bytes.size());
  }

 private:
  static uint64_t fold(uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint64_t keys_[4] = {};
};

}  // namespace godwit::quic

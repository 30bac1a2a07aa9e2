#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/prng.h"

namespace godwit::sim {

/// A hash for telling bytes apart, eight at a time; no protection against anybody.
inline uint64_t hash_bytes(Bytes bytes, uint64_t hash = 0) {
  const auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  };
  mix(bytes.size());
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  return hash;
}

/// A body that no other (seed, size) has: whatever is mixed up, cut or repeated shows in its hash.
inline std::vector<uint8_t> make_body(uint64_t seed, size_t bytes) {
  std::vector<uint8_t> body(bytes);
  Prng random(seed);
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    const uint64_t word = random();
    std::memcpy(body.data() + at, &word, 8);
  }
  random.fill(MutableBytes(body).subspan(at));
  return body;
}

}  // namespace godwit::sim

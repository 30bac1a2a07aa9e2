#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/prng.h"

namespace godwit::sim {

/// A hash for telling bytes apart, in four lanes of eight bytes at a time; no protection against anybody.
inline uint64_t hash_bytes(Bytes bytes, uint64_t seed = 0) {
  const auto mix = [](uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
  };
  const auto word_at = [&bytes](size_t at, size_t length) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, length);
    return word;
  };
  uint64_t lanes[] = {mix(seed, bytes.size()), 1, 2, 3};
  size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    for (size_t lane = 0; lane < 4; ++lane) lanes[lane] = mix(lanes[lane], word_at(at + 8 * lane, 8));
  }
  uint64_t hash = mix(mix(mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
  for (; at < bytes.size(); at += 8) hash = mix(hash, word_at(at, std::min<size_t>(8, bytes.size() - at)));
  return hash;
}

/// What identifies a message: its action, and its body by the hash of that.
inline uint64_t hash_message(std::string_view action, uint64_t body_hash) {
  return hash_bytes(as_bytes(action), body_hash);
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

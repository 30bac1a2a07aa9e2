#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "base/bytes.h"

namespace godwit {

/// Reproducible randomness (xoshiro256**, seeded through SplitMix64): the same seed gives the same sequence on every
/// machine. For jitter and for the simulator; never for secrets, those come from port/entropy.h. Usable with <random>
/// distributions, which however may differ between standard libraries: the members here do not.
class Prng {
 public:
  using result_type = uint64_t;
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return std::numeric_limits<uint64_t>::max(); }

  explicit Prng(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      word = mix(seed);
    }
  }

  uint64_t operator()() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 … limit - 1; 0 for limit 0. The bias is below limit / 2^64.
  uint64_t below(uint64_t limit) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>((*this)()) * limit) >> 64);
  }

  /// low … high, both included.
  uint64_t between(uint64_t low, uint64_t high) {
    return high - low == max() ? (*this)() : low + below(high - low + 1);
  }

  /// 0 <= x < 1, in steps of 2^-53.
  double unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// True with this probability: never for 0, always for 1.
  bool chance(double probability) { return unit() < probability; }

  void fill(MutableBytes out) {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>((*this)() >> 56);
  }

 private:
  static constexpr uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }

  uint64_t state_[4];
};

}  // namespace godwit

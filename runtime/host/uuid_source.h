#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "port/clock.h"
#include "port/entropy.h"

namespace godwit::host {

/// Ids that nobody else has, as RFC 9562 defines them. Takes entropy in blocks: an id costs no system call of its own.
/// One thread.
class UuidSource {
 public:
  using Uuid = std::array<uint8_t, 16>;

  UuidSource(Entropy& entropy, const Clock& clock) : entropy_(entropy), clock_(clock) {}

  /// Random throughout.
  Uuid v4();
  /// Begins with the time in milliseconds. Each is greater than the one before, also within a millisecond and when the
  /// clock goes back.
  Uuid v7();

 private:
  static constexpr size_t kBlockBytes = 1024;
  uint64_t random();
  void begin_millisecond(uint64_t unix_ms);

  Entropy& entropy_;
  const Clock& clock_;
  std::array<uint8_t, kBlockBytes> block_;
  size_t used_ = kBlockBytes;
  // The last v7: its time, and the 74 random bits behind that, which count on.
  uint64_t unix_ms_ = 0;
  uint64_t high_ = 0;  ///< 12 bits
  uint64_t low_ = 0;   ///< 62 bits
};

/// "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"
std::string to_text(const UuidSource::Uuid& uuid);

}  // namespace godwit::host

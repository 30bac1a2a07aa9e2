#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/time.h"
#include "quic/key_ring.h"

namespace godwit::app {

/// Keeps the keys of a ring in a file that only its owner may read, so that a server still knows after its restart what
/// it sealed before.
class KeptKeys {
 public:
  /// How long one key seals what clients keep for the server; it opens for twice as long again.
  static constexpr Duration kRotation = 24h;

  KeptKeys(quic::KeyRing& ring, std::filesystem::path file) : ring_(ring), file_(std::move(file)) {}

  /// The keys of the last process, as far as they are not too old; new ones where there is none. How long the newest
  /// key is good from here on.
  Result<Duration> open(int64_t unix_us);
  /// Another key, on the disk before anything is sealed with it where that is possible.
  Status rotate(int64_t unix_us);

 private:
  Status save(int64_t made_unix_us) const;

  quic::KeyRing& ring_;
  const std::filesystem::path file_;
};

}  // namespace godwit::app

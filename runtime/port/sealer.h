#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace godwit {

/// Hands out bytes that only whoever sealed them can open, and that nobody can change: what a server gives its clients
/// to keep for it. From any thread.
class Sealer {
 public:
  virtual ~Sealer() = default;
  /// `about` is not part of the result; opening it needs the same.
  virtual std::vector<uint8_t> seal(Bytes plain, Bytes about) = 0;
  /// nullopt for what was not sealed here, was changed, is about something else, or is older than the oldest key.
  virtual std::optional<std::vector<uint8_t>> open(Bytes sealed, Bytes about) const = 0;
  /// Which key seals now. When it grows, what was sealed with an older one should be sealed again before that is gone.
  virtual uint32_t generation() const = 0;
};

}  // namespace godwit

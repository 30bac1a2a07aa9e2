#pragma once

#include <optional>
#include <string>

#include "host/once.h"

namespace godwit::app {

/// What the store keeps of one key of host::Once.
struct OnceRecord {
  uint64_t fingerprint = 0;
  Duration kept_after_lease{};               ///< executing: the lease is over when so much of the entry's ttl is left
  std::optional<host::OnceOutcome> outcome;  ///< nullopt: executing

  std::string encode() const;
  /// nullopt: these bytes are none.
  static std::optional<OnceRecord> decode(std::string_view bytes);
};

}  // namespace godwit::app

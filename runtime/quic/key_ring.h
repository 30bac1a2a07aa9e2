#pragma once

#include <array>
#include <deque>
#include <shared_mutex>

#include "base/result.h"
#include "port/entropy.h"
#include "port/sealer.h"

namespace godwit::quic {

/// Seals with AES-256-GCM under keys that are replaced in turn: the newest seals, the two before it still open. Shared
/// by all workers of a server. The keys come from the system's randomness and are wiped; they leave the process only by
/// `text`, for a server that is to know after its restart what it sealed before.
class KeyRing final : public Sealer {
 public:
  static constexpr size_t kKeysMax = 3;  ///< today's, and those of the two days before it

  /// `entropy` is asked under the ring's own lock.
  explicit KeyRing(Entropy& entropy);
  /// With the keys of a ring before it. FileUnreadable where the text is none; then it is as before.
  Status restore(std::string_view text);
  /// All of it, secret: a line for each key, newest first.
  std::string text() const;
  ~KeyRing() override;

  /// A new key from here on; the oldest is forgotten.
  void rotate();

  std::vector<uint8_t> seal(Bytes plain, Bytes about) override;
  std::optional<std::vector<uint8_t>> open(Bytes sealed, Bytes about) const override;
  uint32_t generation() const override;

 private:
  struct Key {
    uint32_t generation;
    std::array<uint8_t, 32> bytes;
  };

  Entropy& entropy_;
  mutable std::shared_mutex mutex_;
  std::deque<Key> keys_;  ///< newest first
};

}  // namespace godwit::quic

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace godwit::wire {

/// Cap'n Proto's packed encoding, which leaves the zero bytes out: each word becomes a tag, whose bits say which of the
/// eight bytes follow. Behind tag 0 stands how many more zero words there are; behind tag 255 and its word, how many
/// words follow as they are. Here because the library's own packs through virtual streams, for several times the cost;
/// the bytes are the same.

/// The most that so many words can take, and the room that `pack` needs.
constexpr size_t packed_bytes_max(size_t words) { return words * 10 + 1; }

/// Writes to `out`, which has packed_bytes_max(words.size()) bytes, and returns how many were used.
size_t pack(std::span<const uint64_t> words, uint8_t* out);

enum class UnpackFailure : uint8_t {
  kTruncated,  ///< the input ends within a word or run
  kTooLarge,   ///< more words than `out` has
};

/// Either `words` of `out` were written, or nothing can be said about its content.
struct Unpacked {
  size_t words = 0;
  std::optional<UnpackFailure> failure;
};
Unpacked unpack(Bytes packed, std::span<uint64_t> out);

}  // namespace godwit::wire

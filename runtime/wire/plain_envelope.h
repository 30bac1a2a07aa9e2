#pragma once

#include <array>
#include <span>

#include "wire/message.h"

namespace godwit::wire {

/// The common envelope, without headers and text, straight between the struct and the words that Cap'n Proto makes of
/// it. Nearly every message is such a one, and the library's general way costs several times as much; it remains the
/// way of all others, and the tests compare both.

inline constexpr size_t kEnvelopeDataWords = 7;
inline constexpr size_t kEnvelopePointers = 3;
inline constexpr size_t kPlainActionBytesMax = 256;
inline constexpr size_t kPlainWordsMax = 1 + kEnvelopeDataWords + kEnvelopePointers + kPlainActionBytesMax / 8 + 1;

using PlainWords = std::array<uint64_t, kPlainWordsMax>;

bool is_plain(const Envelope& envelope);

/// For an envelope that is plain. `words` is where they are put; what comes back is the part that was used.
std::span<const uint64_t> write_plain(const Envelope& envelope, uint64_t body_bytes, PlainWords& words);

/// False when the words have another shape, broken ones included: then the library decides. The action borrows from
/// `words`. Values are not checked.
bool read_plain(std::span<const uint64_t> words, Envelope& out);

}  // namespace godwit::wire

#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "wire/message.h"

namespace godwit::wire {

/// The general way between an envelope and its words, by the Cap'n Proto library: any headers, any text, any order of
/// pointers.

/// Room that `build_envelope` needs.
size_t envelope_words(const Envelope& envelope);

/// Builds in `area` (zero before and after) and lets `use` take the words. Bounds and encodings were checked.
void build_envelope(std::span<uint64_t> area, const Envelope& envelope, uint64_t body_bytes,
                    const std::function<void(std::span<const uint64_t>)>& use);

/// FrameMalformed for broken structure or enumerations out of range. Texts borrow from `words`, the header table from
/// `headers`. Bounds other than the number of headers, and encodings, are not checked.
godwit::Status read_envelope(std::span<const uint64_t> words, size_t headers_max, std::vector<Header>& headers,
                             Envelope& out);

}  // namespace godwit::wire

#pragma once

#include <vector>

#include "wire_helpers.h"

/// The same encodings made and taken apart by the Cap'n Proto library alone, to compare with.
namespace godwit::wire {

using Words = std::vector<uint64_t>;

Words words_by_library(const Envelope& envelope);
ByteVector packed_by_library(const Words& words);
Words unpacked_by_library(Bytes packed);

}  // namespace godwit::wire

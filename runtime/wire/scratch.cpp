#include "wire/scratch.h"

#include <algorithm>

#include "wire/packing.h"
#include "wire/varint.h"

namespace godwit::wire {

namespace {

constexpr size_t kInitialWords = 128;  // a tiny message needs 12, one with some headers 60

/// In front of the packed words: length, type, and length of the header.
constexpr size_t kRoomBytes = 2 * kVarintBytesMax + 1;

/// Padding, pointers and zeros that packing removes: four times the packed size covers every honest frame, and keeps
/// one that consists of announced zeros from costing more than it sent.
constexpr size_t unpacked_words_max(size_t packed_bytes) { return packed_bytes * 4 / 8; }

}  // namespace

std::span<uint64_t> BuildArea::at_least(size_t words) {
  if (words_.size() < words) words_.assign(words, 0);
  return words_;
}

Scratch::Scratch(const CodecLimits& limits)
    : unpacked(kInitialWords),
      envelope_words_max(unpacked_words_max(limits.envelope_bytes_max)),
      control_words_max(unpacked_words_max(limits.control_frame_bytes_max)) {
  packed.resize(kRoomBytes + packed_bytes_max(kInitialWords));
}

Result<std::span<const uint64_t>> Scratch::unpack(Bytes packed_bytes, size_t words_max) {
  const std::span<uint64_t> area(unpacked.data(), std::min(unpacked.size(), words_max));
  Unpacked result = wire::unpack(packed_bytes, area);
  if (result.failure == UnpackFailure::kTooLarge && unpacked.size() < words_max) {
    unpacked.resize(words_max);
    result = wire::unpack(packed_bytes, unpacked);
  }
  if (result.failure == UnpackFailure::kTooLarge) return fail(Code::kFrameMalformed, "the frame unpacks to too much");
  if (result.failure) return fail(Code::kFrameMalformed, "the packing ends within a word");
  return std::span<const uint64_t>(unpacked.data(), result.words);
}

std::span<uint8_t> Scratch::pack_behind_room(std::span<const uint64_t> words) {
  const size_t needed = kRoomBytes + packed_bytes_max(words.size());
  if (packed.size() < needed) packed.resize(needed);
  uint8_t* const begin = packed.data() + kRoomBytes;
  return {begin, pack(words, begin)};
}

Scratch::Frame Scratch::frame(FrameType type, std::span<const uint64_t> words) {
  const std::span<uint8_t> payload = pack_behind_room(words);
  const uint64_t length = 1 + payload.size();
  uint8_t* const begin = payload.data() - 1 - varint_bytes(length);
  *put_varint(begin, length) = static_cast<uint8_t>(type);
  return {{begin, payload.data() + payload.size()}, length};
}

Scratch::Frame Scratch::message_front(std::span<const uint64_t> words, uint64_t body_bytes) {
  const std::span<uint8_t> header = pack_behind_room(words);
  const uint64_t length = 1 + varint_bytes(header.size()) + header.size() + body_bytes;
  uint8_t* const begin = header.data() - varint_bytes(header.size()) - 1 - varint_bytes(length);
  uint8_t* const type = put_varint(begin, length);
  *type = static_cast<uint8_t>(FrameType::kMessage);
  put_varint(type + 1, header.size());
  return {{begin, header.data() + header.size()}, length};
}

}  // namespace godwit::wire

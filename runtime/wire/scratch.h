#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/codec.h"

namespace godwit::wire {

/// Words that are all zero whenever nobody builds in them, as Cap'n Proto wants its first segment.
class BuildArea {
 public:
  /// At least so many words. Whoever builds there leaves them zero again.
  std::span<uint64_t> at_least(size_t words);

 private:
  std::vector<uint64_t> words_;
};

/// The memory a codec works in. It grows to what was needed once, up to the limits, so that a codec which sees small
/// messages only stays small; in the long run nothing is allocated per message.
struct Scratch {
  explicit Scratch(const CodecLimits& limits);

  /// Into `unpacked`. FrameMalformed when the packing is broken or stands for more words than honest frames need.
  Result<std::span<const uint64_t>> unpack(Bytes packed, size_t words_max);

  struct Frame {
    Bytes bytes;
    uint64_t length;  ///< that it announces
  };
  /// A whole frame: its payload is these words, packed.
  Frame frame(FrameType type, std::span<const uint64_t> words);
  /// A message frame up to its body: header length and packed header.
  Frame message_front(std::span<const uint64_t> words, uint64_t body_bytes);

  // Decoded values borrow from these.
  std::vector<uint64_t> unpacked;
  std::vector<Header> headers;
  std::vector<uint64_t> ranges;
  std::vector<Nack> nacks;

  // Where frames are made.
  BuildArea build;
  std::vector<uint8_t> packed;
  std::string text;

  const size_t envelope_words_max;
  const size_t control_words_max;

 private:
  std::span<uint8_t> pack_behind_room(std::span<const uint64_t> words);
};

}  // namespace godwit::wire

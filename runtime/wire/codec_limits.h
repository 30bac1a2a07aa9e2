#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace godwit::wire {

/// What peers are held to. The lengths of frames are those which they announce: type and payload.
struct CodecLimits {
  uint32_t control_frame_bytes_max = limits::kControlFrameBytesMax;
  uint32_t envelope_bytes_max = limits::kEnvelopeBytesMax;  ///< packed; also the length of a message head frame
  uint32_t shared_frame_bytes_max =
      limits::kSharedFrameBytesMax;                             ///< a message frame on the shared lane: envelope + body
  uint64_t inline_bytes_max = limits::kInlineBodyBytesDefault;  ///< body of one message, on any lane
  uint32_t headers_max = limits::kHeadersMax;
  uint32_t header_bytes_max = limits::kHeaderBytesMax;  ///< names and values of one message
  uint32_t action_bytes_max = limits::kActionBytesMax;
  uint32_t text_bytes_max = limits::kTextBytesMax;  ///< of a status, refusal, goodbye
};

inline constexpr size_t kHeaderNameBytesMax = 256;
inline constexpr size_t kResumeTokenBytesMax = 256;

}  // namespace godwit::wire

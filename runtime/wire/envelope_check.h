#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/codec_limits.h"
#include "wire/message.h"

namespace godwit::wire {

/// Bounds of action and headers, the same when a message is sent and when it arrives: ActionInvalid or HeadersInvalid.
godwit::Status check_bounds(const Envelope& envelope, const CodecLimits& limits);

/// ActionInvalid or HeadersInvalid where action or headers are not UTF-8.
godwit::Status check_encoding(const Envelope& envelope);

/// Well-formed UTF-8, quick for the ASCII that nearly all of it is.
bool is_utf8(std::string_view text);

/// `text` itself when it is valid UTF-8 of at most `bytes_max`; otherwise a copy in `room`, cut between characters,
/// that has U+FFFD in the place of invalid bytes. For text that people read and that must never keep a message from
/// being sent.
std::string_view readable_text(std::string_view text, size_t bytes_max, std::string& room);

}  // namespace godwit::wire

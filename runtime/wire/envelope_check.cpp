#include "wire/envelope_check.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace godwit::wire {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_ascii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t seen = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    seen |= word;
  }
  for (; at < text.size(); ++at) seen |= static_cast<uint8_t>(text[at]);
  return (seen & kHighBits) == 0;
}

/// Bytes of the character that starts here; 0 when none does.
size_t character_bytes(std::string_view text) {
  for (size_t bytes = 1; bytes <= std::min<size_t>(4, text.size()); ++bytes) {
    if (is_valid_utf8(text.substr(0, bytes))) return bytes;
  }
  return 0;
}

godwit::Status check_headers(std::span<const Header> headers, const CodecLimits& limits) {
  if (headers.size() > limits.headers_max) {
    return fail(Code::kHeadersInvalid,
                std::to_string(headers.size()) + " headers, " + std::to_string(limits.headers_max) + " are allowed");
  }
  size_t bytes = 0;
  for (const Header& header : headers) {
    if (header.name.empty()) return fail(Code::kHeadersInvalid, "a header without a name");
    if (header.name.size() > kHeaderNameBytesMax) return fail(Code::kHeadersInvalid, "a header's name is too long");
    if (!is_printable(header.name)) return fail(Code::kHeadersInvalid, "a header's name is not printable UTF-8");
    bytes += header.name.size() + header.value.size();
  }
  if (bytes > limits.header_bytes_max) {
    return fail(Code::kHeadersInvalid, std::to_string(bytes) + " bytes of headers, " +
                                           std::to_string(limits.header_bytes_max) + " are allowed");
  }
  return {};
}

}  // namespace

godwit::Status check_bounds(const Envelope& envelope, const CodecLimits& limits) {
  if (envelope.action.size() > limits.action_bytes_max) {
    return fail(Code::kActionInvalid, "an action of " + std::to_string(envelope.action.size()) + " bytes, " +
                                          std::to_string(limits.action_bytes_max) + " are allowed");
  }
  if (envelope.action.empty() && envelope.kind != Kind::kResponse) {
    return fail(Code::kActionInvalid, "a message without an action");
  }
  if (envelope.headers.empty()) return {};
  return check_headers(envelope.headers, limits);
}

godwit::Status check_encoding(const Envelope& envelope) {
  if (!is_utf8(envelope.action)) return fail(Code::kActionInvalid, "the action is not UTF-8");
  for (const Header& header : envelope.headers) {
    if (!is_utf8(header.name) || !is_utf8(header.value)) return fail(Code::kHeadersInvalid, "a header is not UTF-8");
  }
  return {};
}

bool is_utf8(std::string_view text) { return is_ascii(text) || is_valid_utf8(text); }

std::string_view readable_text(std::string_view text, size_t bytes_max, std::string& room) {
  if (text.size() <= bytes_max && is_utf8(text)) return text;
  room.clear();
  while (!text.empty()) {
    const size_t bytes = character_bytes(text);
    const std::string_view character = bytes ? text.substr(0, bytes) : kReplacement;
    if (room.size() + character.size() > bytes_max) break;
    room += character;
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return room;
}

}  // namespace godwit::wire

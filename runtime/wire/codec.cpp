#include "wire/codec.h"

#include "wire/envelope_check.h"
#include "wire/envelope_codec.h"
#include "wire/plain_envelope.h"
#include "wire/scratch.h"
#include "wire/varint.h"

namespace godwit::wire {

Codec::Codec(CodecLimits limits) : limits_(limits), scratch_(std::make_unique<Scratch>(limits)) {}
Codec::~Codec() = default;

namespace {

tl::unexpected<Error> too_large(Code code, std::string_view what, uint64_t bytes, uint64_t bytes_max) {
  return fail(code, std::string(what) + " of " + std::to_string(bytes) + " bytes, " + std::to_string(bytes_max) +
                        " are allowed");
}

godwit::Status check_body(uint64_t bytes, const CodecLimits& limits) {
  if (bytes <= limits.inline_bytes_max) return {};
  return too_large(Code::kMessageTooLarge, "a body", bytes, limits.inline_bytes_max);
}

godwit::Status check_outgoing(const Envelope& envelope, uint64_t body_bytes, const CodecLimits& limits) {
  if (godwit::Status body = check_body(body_bytes, limits); !body) return body;
  if (godwit::Status bounds = check_bounds(envelope, limits); !bounds) return bounds;
  return check_encoding(envelope);
}

godwit::Status check_incoming(const Envelope& envelope, const CodecLimits& limits) {
  if (envelope.text.size() > limits.text_bytes_max) {
    return too_large(Code::kFrameTooLarge, "a status text", envelope.text.size(), limits.text_bytes_max);
  }
  if (!check_encoding(envelope) || !is_utf8(envelope.text)) {
    return fail(Code::kFrameMalformed, "an envelope's text is not UTF-8");
  }
  if (godwit::Status bounds = check_bounds(envelope, limits); !bounds) return bounds;
  return check_body(envelope.body_bytes, limits);
}

/// Into `out`, so that the common path copies nothing.
godwit::Status decode_envelope(Scratch& scratch, const CodecLimits& limits, Bytes packed, Envelope& out) {
  if (packed.size() > limits.envelope_bytes_max) {
    return too_large(Code::kFrameTooLarge, "a message header", packed.size(), limits.envelope_bytes_max);
  }
  const auto words = scratch.unpack(packed, scratch.envelope_words_max);
  if (!words) return tl::unexpected(words.error());
  if (!read_plain(*words, out)) {
    godwit::Status status = read_envelope(*words, limits.headers_max, scratch.headers, out);
    if (!status) return status;
  }
  return check_incoming(out, limits);
}

/// Checks an envelope, makes words of it the shortest way open to it, and gives them to `frame`.
template <typename MakeFrame>
Result<Scratch::Frame> encode_envelope(Scratch& scratch, const CodecLimits& limits, const Envelope& envelope,
                                       uint64_t body_bytes, MakeFrame make_frame) {
  if (godwit::Status status = check_outgoing(envelope, body_bytes, limits); !status) {
    return tl::unexpected(status.error());
  }
  if (is_plain(envelope)) {
    PlainWords words;
    return make_frame(write_plain(envelope, body_bytes, words));
  }
  Envelope sent = envelope;
  sent.text = readable_text(envelope.text, limits.text_bytes_max, scratch.text);
  Scratch::Frame frame;
  build_envelope(scratch.build.at_least(envelope_words(sent)), sent, body_bytes,
                 [&](std::span<const uint64_t> words) { frame = make_frame(words); });
  return frame;
}

}  // namespace

Result<Bytes> Codec::encode_message(const Envelope& envelope, size_t body_bytes) {
  const auto frame = encode_envelope(*scratch_, limits_, envelope, body_bytes, [&](std::span<const uint64_t> words) {
    return scratch_->message_front(words, body_bytes);
  });
  if (!frame) return tl::unexpected(frame.error());
  if (frame->length > limits_.shared_frame_bytes_max) {
    return too_large(Code::kFrameTooLarge, "a message frame", frame->length, limits_.shared_frame_bytes_max);
  }
  return frame->bytes;
}

Result<Bytes> Codec::encode_message_head(const Envelope& envelope) {
  const auto frame =
      encode_envelope(*scratch_, limits_, envelope, envelope.body_bytes,
                      [&](std::span<const uint64_t> words) { return scratch_->frame(FrameType::kMessageHead, words); });
  if (!frame) return tl::unexpected(frame.error());
  if (frame->length > limits_.envelope_bytes_max) {
    return too_large(Code::kFrameTooLarge, "a message head", frame->length, limits_.envelope_bytes_max);
  }
  return frame->bytes;
}

Result<Codec::Message> Codec::decode_message(Bytes payload) {
  const std::optional<Varint> header = get_varint(payload);
  if (!header || header->value > payload.size() - header->bytes) {
    return fail(Code::kFrameMalformed, "a message's header is longer than its frame");
  }
  Result<Message> message;
  message->body = payload.subspan(header->bytes + header->value);
  const Bytes packed = payload.subspan(header->bytes, header->value);
  if (godwit::Status status = decode_envelope(*scratch_, limits_, packed, message->envelope); !status) {
    return tl::unexpected(std::move(status.error()));
  }
  if (message->envelope.body_bytes != message->body.size()) {
    return fail(Code::kFrameMalformed, "a body of " + std::to_string(message->envelope.body_bytes) +
                                           " bytes is announced, the frame has " +
                                           std::to_string(message->body.size()));
  }
  return message;
}

Result<Envelope> Codec::decode_message_head(Bytes payload) {
  Result<Envelope> envelope;
  if (godwit::Status status = decode_envelope(*scratch_, limits_, payload, *envelope); !status) {
    return tl::unexpected(std::move(status.error()));
  }
  return envelope;
}

}  // namespace godwit::wire

#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/codec_limits.h"
#include "wire/message.h"

namespace godwit::wire {

struct Scratch;

struct Frame {
  FrameType type;
  Bytes payload;
};

/// Cuts frames from the front of a stream's bytes. Stateless: call with what is readable, consume `bytes` on success.
///   frame = length varint (RFC 9000 §16, of what follows) · type (1 byte) · payload
struct FrameCut {
  enum class State : uint8_t { kFrame, kNeedMore } state;
  Frame frame;
  size_t bytes;  ///< of the whole frame, with its length; kNeedMore: as far as is known, else 0
};
/// FrameTooLarge as soon as the length can be read, FrameUnknown as soon as the type can; FrameMalformed for one
/// without a type.
Result<FrameCut> cut_frame(Bytes readable, uint64_t frame_bytes_max);

/// Encodes and decodes frame payloads. Holds scratch memory: what it returns borrows from it until the next call of the
/// same kind (encode, decode). Every limit is checked before memory is used. One per worker; not thread-safe.
class Codec {
 public:
  explicit Codec(CodecLimits limits = {});
  ~Codec();

  const CodecLimits& limits() const { return limits_; }

  // Whole frames, ready for the stream. Text for people is made to fit: cut at its bound, U+FFFD for what is not UTF-8.
  // Of an Ack's nacks the texts share what room the frame has; it takes kAckRangeWordsMax words and kNacksMax nacks at
  // most.
  Bytes encode(const Hello& hello);
  Bytes encode(const Welcome& welcome);
  Bytes encode(const Refuse& refuse);
  Bytes encode(const Ping& ping);
  Bytes encode(const Pong& pong);
  Bytes encode(const Ack& ack);
  Bytes encode(const Goodbye& goodbye);
  Bytes encode(const Renewal& renewal);
  Bytes encode(const Cancel& cancel);

  // Refused before anything is sent: ActionInvalid, HeadersInvalid, MessageTooLarge (body), FrameTooLarge (does not fit
  // its lane).

  /// The front of a message frame for the shared lane; exactly `body_bytes` of raw body must follow.
  /// envelope.body_bytes is not looked at.
  Result<Bytes> encode_message(const Envelope& envelope, size_t body_bytes);
  /// The whole head frame for an own stream; the raw body of envelope.body_bytes follows, then the end of the stream.
  Result<Bytes> encode_message_head(const Envelope& envelope);

  // FrameMalformed for what cannot be decoded and text that is not UTF-8. Bounds have their own codes: HeadersInvalid,
  // ActionInvalid, MessageTooLarge, FrameTooLarge, and IdentityInvalid for a Hello, which thus can be refused politely.
  Result<Hello> decode_hello(Bytes payload);
  Result<Welcome> decode_welcome(Bytes payload);
  Result<Refuse> decode_refuse(Bytes payload);
  Result<Ping> decode_ping(Bytes payload);
  Result<Pong> decode_pong(Bytes payload);
  Result<Ack> decode_ack(Bytes payload);
  Result<Goodbye> decode_goodbye(Bytes payload);
  Result<Renewal> decode_renewal(Bytes payload);
  Result<Cancel> decode_cancel(Bytes payload);

  struct Message {
    Envelope envelope;
    Bytes body;  ///< rest of the payload
  };
  Result<Message> decode_message(Bytes payload);
  Result<Envelope> decode_message_head(Bytes payload);

 private:
  CodecLimits limits_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace godwit::wire

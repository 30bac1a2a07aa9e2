#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/message.h"

namespace godwit::wire {

struct CodecLimits {
  uint32_t control_frame_bytes_max = 16 * 1024;
  uint32_t envelope_bytes_max = 32 * 1024;      ///< packed
  uint32_t shared_frame_bytes_max = 96 * 1024;  ///< a message frame on the shared lane: envelope + body
  uint64_t inline_bytes_max = 1024 * 1024;      ///< body of one message, on any lane
  uint32_t headers_max = 64;
  uint32_t header_bytes_max = 16 * 1024;        ///< names and values of one message
  uint32_t action_bytes_max = 256;
  uint32_t text_bytes_max = 1024;               ///< of a status, refusal, goodbye
};

struct Frame {
  FrameType type;
  Bytes payload;
};

/// Cuts frames from the front of a stream's bytes. Stateless: call with what is readable, consume `bytes` on success.
///   frame = length varint (RFC 9000 §16, of what follows) · type (1 byte) · payload
struct FrameCut {
  enum class State : uint8_t { kFrame, kNeedMore } state;
  Frame frame;
  size_t bytes;       ///< of the whole frame, with its length
};
Result<FrameCut> cut_frame(Bytes readable, uint64_t frame_bytes_max);

/// Encodes and decodes frame payloads. Holds scratch memory: what it returns borrows from it until the next call of the same kind
/// (encode, decode). Every limit is checked before memory is used. One per worker; not thread-safe.
class Codec {
 public:
  explicit Codec(CodecLimits limits = {});
  ~Codec();

  const CodecLimits& limits() const { return limits_; }

  // Whole frames, ready for the stream.
  Bytes encode(const Hello& hello);
  Bytes encode(const Welcome& welcome);
  Bytes encode(const Refuse& refuse);
  Bytes encode(const Ping& ping);
  Bytes encode(const Pong& pong);
  Bytes encode(const Ack& ack);
  Bytes encode(const Goodbye& goodbye);

  /// The front of a message frame for the shared lane; exactly `body_bytes` of raw body must follow.
  Result<Bytes> encode_message(const Envelope& envelope, size_t body_bytes);
  /// The whole head frame for an own stream; the raw body of envelope.body_bytes follows, then the end of the stream.
  Result<Bytes> encode_message_head(const Envelope& envelope);

  Result<Hello> decode_hello(Bytes payload);
  Result<Welcome> decode_welcome(Bytes payload);
  Result<Refuse> decode_refuse(Bytes payload);
  Result<Ping> decode_ping(Bytes payload);
  Result<Pong> decode_pong(Bytes payload);
  Result<Ack> decode_ack(Bytes payload);
  Result<Goodbye> decode_goodbye(Bytes payload);

  struct Message {
    Envelope envelope;
    Bytes body;  ///< rest of the payload
  };
  Result<Message> decode_message(Bytes payload);
  Result<Envelope> decode_message_head(Bytes payload);

 private:
  struct Scratch;
  CodecLimits limits_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace godwit::wire

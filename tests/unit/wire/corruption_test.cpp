#include "base/prng.h"
#include "golden.h"

using namespace godwit;
using namespace godwit::wire;

// What arrives is damaged at random and read as the receiver reads it. QUIC authenticates every packet, so this stands
// for peers that make mistakes, not for the network.

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRounds = 50'000;
#else
constexpr int kRounds = 1'000'000;
#endif

struct Sample {
  ByteVector frame;
  FrameType type;
  size_t body_bytes;
};

std::vector<Sample> samples_with_bodies() {
  std::vector<Sample> all;
  for (const auto& [name, bytes] : encoded_samples()) {
    const Frame frame = whole_frame(bytes);
    const bool message = frame.type == FrameType::kMessage;
    all.push_back({bytes, frame.type, message ? Codec().decode_message(frame.payload)->body.size() : 0});
  }
  return all;
}

bool is_within(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Touches every byte that a decoded value refers to, so that a sanitizer sees a wrong one.
uint64_t sum_of(std::string_view text) {
  uint64_t sum = 0;
  for (const char byte : text) sum += static_cast<uint8_t>(byte);
  return sum;
}
uint64_t sum_of(const Envelope& envelope) {
  uint64_t sum = sum_of(envelope.action) + sum_of(envelope.text);
  for (const Header& header : envelope.headers) sum += sum_of(header.name) + sum_of(header.value);
  return sum;
}

class Reader {
 public:
  /// The body's length of a message that was accepted; nothing otherwise.
  std::optional<size_t> read(Bytes bytes) {
    const Result<FrameCut> cut = cut_frame(bytes, codec_.limits().shared_frame_bytes_max);
    if (!cut || cut->state == FrameCut::State::kNeedMore) return std::nullopt;
    const Bytes payload = cut->frame.payload;
    switch (cut->frame.type) {
      case FrameType::kMessage: return read_message(payload);
      case FrameType::kMessageHead: return touch(codec_.decode_message_head(payload));
      case FrameType::kHello: return touch(codec_.decode_hello(payload));
      case FrameType::kWelcome: return touch(codec_.decode_welcome(payload));
      case FrameType::kAck: return touch(codec_.decode_ack(payload));
      case FrameType::kRefuse: return touch(codec_.decode_refuse(payload));
      case FrameType::kGoodbye: return touch(codec_.decode_goodbye(payload));
      case FrameType::kPing: return touch(codec_.decode_ping(payload));
      case FrameType::kPong: return touch(codec_.decode_pong(payload));
      case FrameType::kRenewal: return touch(codec_.decode_renewal(payload));
      case FrameType::kCancel: return touch(codec_.decode_cancel(payload));
    }
    return std::nullopt;
  }

  size_t accepted() const { return accepted_; }

 private:
  std::optional<size_t> read_message(Bytes payload) {
    const Result<Codec::Message> message = codec_.decode_message(payload);
    if (!message) return std::nullopt;
    ++accepted_;
    sum_ += sum_of(message->envelope);
    if (!is_within(message->body, payload) || message->envelope.body_bytes != message->body.size()) return SIZE_MAX;
    return message->body.size();
  }

  template <typename T>
  std::optional<size_t> touch(const Result<T>& value) {
    if (!value) return std::nullopt;
    ++accepted_;
    if constexpr (std::is_same_v<T, Envelope>) sum_ += sum_of(*value);
    if constexpr (std::is_same_v<T, Hello>) sum_ += sum_of(value->client_id) + sum_of(value->token);
    if constexpr (std::is_same_v<T, Ack>) {
      for (const Nack& nack : value->nacks) sum_ += sum_of(nack.text);
    }
    return std::nullopt;
  }

  Codec codec_;
  size_t accepted_ = 0;
  uint64_t sum_ = 0;
};

}  // namespace

TEST_CASE("no single wrong byte makes a message with a body of another length") {
  Reader reader;
  size_t wrong = 0, tried = 0;
  for (const Sample& sample : samples_with_bodies()) {
    if (sample.type != FrameType::kMessage) continue;
    for (size_t at = 0; at < sample.frame.size(); ++at) {
      for (int value = 0; value < 256; ++value, ++tried) {
        ByteVector frame = sample.frame;
        frame[at] = static_cast<uint8_t>(value);
        const std::optional<size_t> body = reader.read(frame);
        wrong += body && *body != sample.body_bytes;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(reader.accepted() > tried / 100);  // bytes of the body and of numbers may change unseen
  CHECK(reader.accepted() < tried);
}

TEST_CASE("a million damaged frames are refused or read consistently, and none does harm") {
  const std::vector<Sample> samples = samples_with_bodies();
  Prng random(1);
  Reader reader;
  size_t wrong = 0;
  ByteVector frame;
  for (int round = 0; round < kRounds; ++round) {
    const Sample& sample = samples[random.below(samples.size())];
    frame = sample.frame;
    for (uint64_t damages = 1 + random.below(4); damages > 0; --damages) {
      frame[random.below(frame.size())] = static_cast<uint8_t>(random());
    }
    if (random.below(8) == 0) frame.resize(random.below(frame.size()));
    const std::optional<size_t> body = reader.read(frame);
    wrong += body && *body > frame.size();
  }
  CHECK(wrong == 0);
  CHECK(reader.accepted() > 0);
  CHECK(reader.accepted() < static_cast<size_t>(kRounds));
}

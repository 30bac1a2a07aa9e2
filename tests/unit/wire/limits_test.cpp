#include <string>

#include "library_words.h"
#include "samples.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

/// Sends what peers of this protocol must not.
CodecLimits generous() {
  CodecLimits limits;
  limits.control_frame_bytes_max = limits.envelope_bytes_max = limits.shared_frame_bytes_max = 16 << 20;
  limits.inline_bytes_max = uint64_t{1} << 40;
  limits.headers_max = limits.header_bytes_max = limits.action_bytes_max = limits.text_bytes_max = 1 << 20;
  return limits;
}

struct Outcome {
  Code sent;
  Code received;
  bool operator==(const Outcome&) const = default;
};

/// What a correct sender says of an envelope, and a correct receiver when it comes from one that does not care.
Outcome outcome(const Envelope& envelope) {
  Codec codec;
  const ByteVector head = [&] {
    Codec careless(generous());
    return copy_of(*careless.encode_message_head(envelope));
  }();
  return {code_of(codec.encode_message_head(envelope)), code_of(codec.decode_message_head(whole_frame(head).payload))};
}

constexpr Outcome kFine{Code::kOk, Code::kOk};

}  // namespace

TEST_CASE("an action has at most 256 bytes, and at least one unless it is a response's") {
  Envelope envelope = samples::request();
  const std::string action(257, 'a');
  for (const size_t bytes : {1, 255, 256}) {
    envelope.action = std::string_view(action).substr(0, bytes);
    CHECK(outcome(envelope) == kFine);
  }
  envelope.action = action;
  CHECK(outcome(envelope) == Outcome{Code::kActionInvalid, Code::kActionInvalid});

  Codec codec;
  envelope.action = {};
  CHECK(code_of(codec.encode_message_head(envelope)) == Code::kActionInvalid);
  CHECK(code_of(codec.decode_message_head(packed_by_library(words_by_library(envelope)))) == Code::kActionInvalid);
  CHECK(outcome(samples::response()) == kFine);
}

TEST_CASE("a message has at most 64 headers") {
  Envelope envelope = samples::request();
  const std::vector<Header> headers(65, Header{"name", "value"});
  for (const size_t count : {1, 63, 64}) {
    envelope.headers = std::span(headers).first(count);
    CHECK(outcome(envelope) == kFine);
  }
  envelope.headers = headers;
  CHECK(outcome(envelope) == Outcome{Code::kHeadersInvalid, Code::kHeadersInvalid});
}

TEST_CASE("headers have at most 16 KiB together") {
  Envelope envelope = samples::request();
  const std::string value(16 * 1024, 'v');
  for (const size_t bytes : {16'383, 16'384, 16'385}) {
    const Header headers[] = {{"a", "b"}, {"name", std::string_view(value).substr(0, bytes - 6)}};
    envelope.headers = headers;
    const bool fine = bytes <= 16'384;
    CHECK(outcome(envelope) == (fine ? kFine : Outcome{Code::kHeadersInvalid, Code::kHeadersInvalid}));
  }
}

TEST_CASE("a header's name has 1 to 256 bytes") {
  Envelope envelope = samples::request();
  const std::string name(257, 'n');
  for (const size_t bytes : {0, 1, 255, 256, 257}) {
    const Header headers[] = {{std::string_view(name).substr(0, bytes), "v"}};
    envelope.headers = headers;
    CHECK(code_of(Codec().encode_message_head(envelope)) == (bytes % 257 ? Code::kOk : Code::kHeadersInvalid));
    const ByteVector payload = packed_by_library(words_by_library(envelope));
    CHECK(code_of(Codec().decode_message_head(payload)) == (bytes % 257 ? Code::kOk : Code::kHeadersInvalid));
  }
}

TEST_CASE("a status text has at most 1,024 bytes") {
  Envelope envelope = samples::failure();
  const std::string text(1025, 't');
  for (const size_t bytes : {1023, 1024}) {
    envelope.text = std::string_view(text).substr(0, bytes);
    CHECK(outcome(envelope) == kFine);
  }
  envelope.text = text;
  CHECK(outcome(envelope) == Outcome{Code::kOk, Code::kFrameTooLarge});  // the sender cuts it
}

TEST_CASE("a body has at most the inline limit, on both lanes") {
  Envelope envelope = samples::event();
  const uint64_t limit = CodecLimits{}.inline_bytes_max;
  for (const uint64_t bytes : {limit - 1, limit}) {
    envelope.body_bytes = bytes;
    CHECK(outcome(envelope) == kFine);
  }
  envelope.body_bytes = limit + 1;
  CHECK(outcome(envelope) == Outcome{Code::kMessageTooLarge, Code::kMessageTooLarge});

  CodecLimits small;
  small.inline_bytes_max = 5;
  Codec codec(small), sender;
  for (const size_t bytes : {4, 5, 6}) {
    const ByteVector frame = encode_message(sender, samples::request(), std::string(bytes, 'b'));
    const Code expected = bytes <= 5 ? Code::kOk : Code::kMessageTooLarge;
    CHECK(code_of(codec.encode_message(samples::request(), bytes)) == expected);
    CHECK(code_of(codec.decode_message(whole_frame(frame).payload)) == expected);
  }
}

TEST_CASE("a frame on the shared lane announces at most 96 KiB") {
  Codec codec;
  const size_t overhead = 1 + codec.encode_message(samples::request(), 70'000)->size() - 1 - 4;  // without its length
  const size_t fits = CodecLimits{}.shared_frame_bytes_max - overhead;
  for (const size_t bytes : {fits - 1, fits})
    CHECK(code_of(codec.encode_message(samples::request(), bytes)) == Code::kOk);
  CHECK(code_of(codec.encode_message(samples::request(), fits + 1)) == Code::kFrameTooLarge);

  const ByteVector frame = encode_message(codec, samples::request(), std::string(fits, 'b'));
  CHECK(code_of(cut_frame(frame, codec.limits().shared_frame_bytes_max)) == Code::kOk);
  CHECK(code_of(cut_frame(frame, codec.limits().shared_frame_bytes_max - 1)) == Code::kFrameTooLarge);
}

TEST_CASE("a message head is no larger than its limit") {
  CodecLimits limits;
  const size_t length = Codec().encode_message_head(samples::event())->size() - 2;
  for (const size_t bytes_max : {length - 1, length, length + 1}) {
    limits.envelope_bytes_max = static_cast<uint32_t>(bytes_max);
    const Code expected = bytes_max < length ? Code::kFrameTooLarge : Code::kOk;
    CHECK(code_of(Codec(limits).encode_message_head(samples::event())) == expected);
  }
  limits.envelope_bytes_max = static_cast<uint32_t>(length - 2);
  Codec sender, receiver(limits);
  const ByteVector head = copy_of(*sender.encode_message_head(samples::event()));
  CHECK(code_of(receiver.decode_message_head(whole_frame(head).payload)) == Code::kFrameTooLarge);
}

TEST_CASE("the fields of a Hello have their bounds, which are named politely") {
  const std::string text(4097, 'h');
  const std::tuple<std::string_view Hello::*, size_t> rows[] = {{&Hello::client_id, 128},
                                                                {&Hello::uid, 128},
                                                                {&Hello::token, 4096},
                                                                {&Hello::agent, 128},
                                                                {&Hello::resume_token, 256}};
  Codec codec;
  for (const auto& [field, bytes_max] : rows) {
    for (const size_t bytes : {bytes_max - 1, bytes_max, bytes_max + 1}) {
      Hello hello = samples::hello();
      hello.*field = std::string_view(text).substr(0, bytes);
      const ByteVector frame = copy_of(codec.encode(hello));
      const Code expected = bytes <= bytes_max ? Code::kOk : Code::kIdentityInvalid;
      CHECK(code_of(codec.decode_hello(whole_frame(frame).payload)) == expected);
    }
  }
}

TEST_CASE("the largest Hello and the fullest Ack fit into a control frame") {
  Codec codec;
  const std::string text(4096, 'x');
  const std::string_view all = text;
  const Hello hello{.client_id = all.substr(0, 128),
                    .uid = all.substr(0, 128),
                    .token = all,
                    .agent = all.substr(0, 128),
                    .last_seq = ~uint64_t{0},
                    .resume_token = all.substr(0, 256),
                    .features = ~uint64_t{0}};
  CHECK(code_of(cut_frame(codec.encode(hello), codec.limits().control_frame_bytes_max)) == Code::kOk);

  const std::vector<uint64_t> ranges(kAckRangeWordsMax, 0x0123456789abcdef);
  std::vector<Nack> nacks;
  for (size_t i = 0; i < kNacksMax; ++i) nacks.push_back({(uint64_t{1} << 40) + i, Code::kHandlerNotFound, text});
  const ByteVector frame = copy_of(codec.encode(Ack{uint64_t{1} << 40, ranges, nacks}));
  CHECK(code_of(cut_frame(frame, codec.limits().control_frame_bytes_max)) == Code::kOk);
  const Result<Ack> ack = codec.decode_ack(whole_frame(frame).payload);
  REQUIRE(ack);
  CHECK(ack->ranges.size() == kAckRangeWordsMax);
  REQUIRE(ack->nacks.size() == kNacksMax);
  CHECK(ack->nacks.back().seq == (uint64_t{1} << 40) + kNacksMax - 1);
  CHECK(ack->nacks.back().text == "xxxxxxxx");
}

#include <capnp/message.h>
#include <kj/array.h>

#include "base/prng.h"
#include "godwit.capnp.h"
#include "library_words.h"
#include "samples.h"
#include "wire/plain_envelope.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

uint64_t random_number(Prng& random) { return random.below(3) ? random() >> random.below(64) : 0; }

Envelope random_envelope(Prng& random, std::string& action) {
  action.assign(random.below(30), 'x');
  Envelope envelope;
  envelope.seq = random_number(random);
  envelope.after_delta = static_cast<uint32_t>(random.below(2) ? 1 : random_number(random));
  envelope.id = random_number(random);
  envelope.correlates = random_number(random);
  envelope.kind = static_cast<Kind>(random.below(4));
  envelope.priority = static_cast<Priority>(random.below(4));
  envelope.status = static_cast<wire::Status>(random.below(4));
  envelope.code = static_cast<Code>(random_number(random));
  envelope.flags = static_cast<uint16_t>(random_number(random));
  envelope.deadline_ms = static_cast<uint32_t>(random_number(random));
  envelope.ttl_ms = static_cast<uint32_t>(random_number(random));
  envelope.body_bytes = random.below(1 << 20);
  envelope.action = action;
  if (envelope.kind != Kind::kResponse && action.empty()) envelope.action = "a";
  return envelope;
}

}  // namespace

TEST_CASE("a plain envelope's words are those that the library builds") {
  Prng random(3);
  std::string action;
  for (int turn = 0; turn < 5000; ++turn) {
    const Envelope envelope = random_envelope(random, action);
    REQUIRE(is_plain(envelope));
    PlainWords room;
    const auto words = write_plain(envelope, envelope.body_bytes, room);
    REQUIRE(Words(words.begin(), words.end()) == words_by_library(envelope));
  }
}

TEST_CASE("what the library wrote is read as it was written, plain or not") {
  Codec codec;
  Prng random(5);
  std::string action;
  for (int turn = 0; turn < 5000; ++turn) {
    Envelope envelope = random_envelope(random, action);
    if (turn % 3 == 1) envelope.headers = samples::kHeaders;
    if (turn % 3 == 2) envelope.text = "why";
    const ByteVector payload = packed_by_library(words_by_library(envelope));
    const Result<Envelope> read = codec.decode_message_head(payload);
    REQUIRE(read);
    check_equal(*read, envelope);
  }
}

TEST_CASE("what was written is read back, with every kind of envelope") {
  Codec writer, reader;
  for (Envelope envelope : {samples::request(), samples::response(), samples::failure(), samples::event()}) {
    const ByteVector head = copy_of(*writer.encode_message_head(envelope));
    const Frame frame = whole_frame(head);
    CHECK(frame.type == FrameType::kMessageHead);
    const Result<Envelope> read = reader.decode_message_head(frame.payload);
    REQUIRE(read);
    check_equal(*read, envelope);
  }
}

TEST_CASE("the library reads what was written") {
  Codec codec;
  const ByteVector head = copy_of(*codec.encode_message_head(samples::event()));
  const Words words = unpacked_by_library(whole_frame(head).payload);
  const kj::ArrayPtr<const capnp::word> segments[] = {
      {reinterpret_cast<const capnp::word*>(words.data()), words.size()}};
  capnp::SegmentArrayMessageReader message(kj::arrayPtr(segments, 1));
  const auto envelope = message.getRoot<proto::Envelope>();
  CHECK(envelope.getSeq() == 70'000);
  CHECK(envelope.getAfterDelta() == 0);
  CHECK(envelope.getAction() == "chat.room-1.say");
  CHECK(envelope.getPriority() == proto::Priority::HIGH);
  CHECK(envelope.getHeaders().size() == 2);
  CHECK(envelope.getHeaders()[0].getValue() == "text/plain");
}

TEST_CASE("a message frame carries any body, the empty one too") {
  Codec codec;
  for (const size_t bytes : {0, 1, 30, 63, 64, 16'000, 16'384, 65'535, 90'000}) {
    const ByteVector body(bytes, 0xa5);
    Envelope envelope = samples::request();
    const ByteVector sent = encode_message(codec, envelope, body);
    const Frame frame = whole_frame(sent);
    CHECK(frame.type == FrameType::kMessage);
    const Result<Codec::Message> message = codec.decode_message(frame.payload);
    REQUIRE(message);
    CHECK(copy_of(message->body) == body);
    envelope.body_bytes = bytes;
    check_equal(message->envelope, envelope);
  }
}

TEST_CASE("a frame whose body is longer or shorter than announced is malformed") {
  Codec codec;
  const ByteVector sent = encode_message(codec, samples::request(), "hello");
  const Bytes payload = whole_frame(sent).payload;
  CHECK(code_of(codec.decode_message(payload)) == Code::kOk);
  CHECK(code_of(codec.decode_message(payload.first(payload.size() - 1))) == Code::kFrameMalformed);
  ByteVector longer = copy_of(payload);
  longer.push_back('!');
  CHECK(code_of(codec.decode_message(longer)) == Code::kFrameMalformed);
}

TEST_CASE("a header that reaches beyond its frame is malformed") {
  Codec codec;
  CHECK(code_of(codec.decode_message({})) == Code::kFrameMalformed);
  CHECK(code_of(codec.decode_message(ByteVector{1})) == Code::kFrameMalformed);
  CHECK(code_of(codec.decode_message(ByteVector{0x40})) == Code::kFrameMalformed);
  CHECK(code_of(codec.decode_message(ByteVector{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})) ==
        Code::kFrameMalformed);
}

TEST_CASE("text for people is made fit to be sent: cut between characters, invalid bytes replaced") {
  Codec codec;
  const auto sent_text = [&](std::string_view text) {
    Envelope envelope = samples::failure();
    envelope.text = text;
    const ByteVector frame = encode_message(codec, envelope, "");
    return std::string(codec.decode_message(whole_frame(frame).payload)->envelope.text);
  };
  CHECK(sent_text("größer") == "größer");
  CHECK(sent_text("a\xff\x62\xc3") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
  const std::string umlauts = [] {
    std::string text = "x";
    for (int i = 0; i < 600; ++i) text += "ä";
    return text;
  }();
  CHECK(sent_text(umlauts) == umlauts.substr(0, 1023));
  CHECK(sent_text(std::string(1024, 'y')).size() == 1024);
  CHECK(sent_text(std::string(1025, 'y')).size() == 1024);
}

TEST_CASE("actions and headers that are not UTF-8 are refused before they are sent") {
  Codec codec;
  Envelope envelope = samples::request();
  envelope.action = "ech\xff";
  CHECK(code_of(codec.encode_message(envelope, 0)) == Code::kActionInvalid);
  const Header bad_name[] = {{"n\xc3", "v"}}, bad_value[] = {{"n", "\xed\xa0\x80"}};
  envelope = samples::request();
  envelope.headers = bad_name;
  CHECK(code_of(codec.encode_message(envelope, 0)) == Code::kHeadersInvalid);
  envelope.headers = bad_value;
  CHECK(code_of(codec.encode_message(envelope, 0)) == Code::kHeadersInvalid);
}

TEST_CASE("a header's name that cannot be printed is refused on both sides, its value may be anything") {
  Codec strict;
  Envelope envelope = samples::request();
  const Header value[] = {{"name", "\xe2\x80\xae\n\xc2\x85"}};
  envelope.headers = value;
  CHECK(strict.encode_message(envelope, 0));
  for (const char* name : {"a\n", "\xc2\x85", "\xe2\x80\xaetnega"}) {
    const Header bad[] = {{name, "v"}};
    envelope.headers = bad;
    CHECK(code_of(strict.encode_message(envelope, 0)) == Code::kHeadersInvalid);
  }
}

TEST_CASE("the message id is the sequence number unless it is given") {
  Envelope envelope = samples::request();
  CHECK(envelope.message_id() == 1);
  envelope.id = 9;
  CHECK(envelope.message_id() == 9);
}

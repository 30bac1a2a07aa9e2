#include <capnp/message.h>

#include "grown.capnp.h"
#include "library_words.h"
#include "samples.h"

using namespace godwit;
using namespace godwit::wire;

// A peer of a later version, made by the library from a schema with more fields.

namespace {

ByteVector payload_of(capnp::MessageBuilder& message) {
  const auto segment = message.getSegmentsForOutput()[0];
  const auto* begin = reinterpret_cast<const uint64_t*>(segment.begin());
  return packed_by_library({begin, begin + segment.size()});
}

grown::Envelope::Builder later_request(capnp::MessageBuilder& message) {
  auto out = message.initRoot<grown::Envelope>();
  out.setSeq(9);
  out.setKind(static_cast<uint16_t>(Kind::kQuery));
  out.setDeadlineMs(100);
  out.setAction("echo");
  out.setHops(3);
  out.setStamp(1);
  return out;
}

void check_request(const Result<Envelope>& read) {
  INFO((read ? "" : read.error().to_string()));
  REQUIRE(read);
  CHECK(read->seq == 9);
  CHECK(read->after_delta == 1);
  CHECK(read->kind == Kind::kQuery);
  CHECK(read->deadline_ms == 100);
  CHECK(read->action == "echo");
}

}  // namespace

TEST_CASE("fields of a later version are ignored, in envelopes of every shape") {
  Codec codec;
  capnp::MallocMessageBuilder plain;
  later_request(plain);
  check_request(codec.decode_message_head(payload_of(plain)));

  capnp::MallocMessageBuilder full;
  auto out = later_request(full);
  out.initTraceId(16);
  auto headers = out.initHeaders(2);
  headers[0].setName("a");
  headers[0].setOrigin("elsewhere");
  headers[1].setName("b");
  headers[1].setValue("c");
  headers[1].setSensitive(true);
  const ByteVector payload = payload_of(full);
  const Result<Envelope> read = codec.decode_message_head(payload);
  check_request(read);
  REQUIRE(read->headers.size() == 2);
  CHECK(read->headers[0].name == "a");
  CHECK(read->headers[0].value.empty());
  CHECK(read->headers[1].value == "c");
}

TEST_CASE("what hangs on unknown fields is not followed, however deep it goes") {
  Codec codec;
  capnp::MallocMessageBuilder message;
  auto node = later_request(message).initPath();
  for (int depth = 0; depth < 65; ++depth) {
    node.setLabel("deeper");
    node = node.initNext();
  }
  check_request(codec.decode_message_head(payload_of(message)));
}

TEST_CASE("a later reader finds its defaults in what is sent today") {
  Codec codec;
  const ByteVector head = copy_of(*codec.encode_message_head(samples::event()));
  const Words words = unpacked_by_library(whole_frame(head).payload);
  const kj::ArrayPtr<const capnp::word> segments[] = {
      {reinterpret_cast<const capnp::word*>(words.data()), words.size()}};
  capnp::SegmentArrayMessageReader message(kj::arrayPtr(segments, 1));
  const auto envelope = message.getRoot<grown::Envelope>();
  CHECK(envelope.getSeq() == 70'000);
  CHECK(envelope.getPriority() == static_cast<uint16_t>(Priority::kHigh));
  CHECK(envelope.getAction() == "chat.room-1.say");
  CHECK(envelope.getHops() == 7);
  CHECK(envelope.getStamp() == 42);
  CHECK_FALSE(envelope.hasPath());
  REQUIRE(envelope.getHeaders().size() == 2);
  CHECK(envelope.getHeaders()[0].getValue() == "text/plain");
  CHECK_FALSE(envelope.getHeaders()[0].getSensitive());
}

TEST_CASE("control frames grow the same way, in both directions") {
  Codec codec;
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<grown::Hello>();
  out.setClientId("later");
  out.setFeatures(~uint64_t{0});
  out.setLocale("eo");
  out.setPriority(9);
  const ByteVector payload = payload_of(message);
  const Result<Hello> hello = codec.decode_hello(payload);
  REQUIRE(hello);
  CHECK(hello->client_id == "later");
  CHECK(hello->features == ~uint64_t{0});

  const Words words = unpacked_by_library(whole_frame(codec.encode(samples::hello())).payload);
  const kj::ArrayPtr<const capnp::word> segments[] = {
      {reinterpret_cast<const capnp::word*>(words.data()), words.size()}};
  capnp::SegmentArrayMessageReader reader(kj::arrayPtr(segments, 1));
  CHECK(reader.getRoot<grown::Hello>().getClientId() == "sensor-7");
  CHECK(reader.getRoot<grown::Hello>().getLocale() == "C");
  CHECK(reader.getRoot<grown::Hello>().getPriority() == 3);
}

#include <algorithm>

#include "samples.h"
#include "wire_helpers.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

Bytes payload(const ByteVector& frame) { return whole_frame(frame).payload; }

}  // namespace

TEST_CASE("control frames of defaults come back as defaults") {
  Codec codec;
  const ByteVector hello = copy_of(codec.encode(Hello{}));
  CHECK(codec.decode_hello(payload(hello))->client_id.empty());
  const ByteVector welcome = copy_of(codec.encode(Welcome{}));
  CHECK(codec.decode_welcome(payload(welcome))->session == 0);
  const ByteVector ack = copy_of(codec.encode(Ack{}));
  CHECK(codec.decode_ack(payload(ack))->cumulative == 0);
  CHECK(codec.decode_ack(payload(ack))->ranges.empty());
  CHECK(codec.decode_ack(payload(ack))->nacks.empty());
  const ByteVector ping = copy_of(codec.encode(Ping{}));
  CHECK(codec.decode_ping(payload(ping))->nonce == 0);
}

TEST_CASE("a Hello with every field comes back whole") {
  Codec writer, reader;
  const Hello hello{.client_id = "größe",
                    .uid = "u",
                    .token = "secret",
                    .agent = "a/1",
                    .last_seq = 77,
                    .resume_token = "resume",
                    .features = 0x8000'0000'0000'0001};
  const ByteVector frame = copy_of(writer.encode(hello));
  const Result<Hello> read = reader.decode_hello(payload(frame));
  REQUIRE(read);
  CHECK(read->client_id == hello.client_id);
  CHECK(read->uid == hello.uid);
  CHECK(read->token == hello.token);
  CHECK(read->agent == hello.agent);
  CHECK(read->last_seq == hello.last_seq);
  CHECK(read->resume_token == hello.resume_token);
  CHECK(read->features == hello.features);
}

TEST_CASE("what a session is resumed with comes back whole") {
  Codec writer, reader;
  const ByteVector hello = copy_of(writer.encode(Hello{.client_id = "c", .last_seq = 5, .known_seq = 6}));
  CHECK(reader.decode_hello(payload(hello))->known_seq == 6);
  const ByteVector frame = copy_of(writer.encode(Welcome{.last_seq = 9,
                                                         .resumed = true,
                                                         .lost = Code::kSessionLost,
                                                         .known_seq = 8,
                                                         .resume_window_ms = 60'000,
                                                         .steer = to_steer(3)}));
  const Result<Welcome> welcome = reader.decode_welcome(payload(frame));
  REQUIRE(welcome);
  CHECK(welcome->resumed);
  CHECK(welcome->lost == Code::kSessionLost);
  CHECK(welcome->last_seq == 9);
  CHECK(welcome->known_seq == 8);
  CHECK(welcome->resume_window_ms == 60'000);
  CHECK(welcome->steer == 256 + 3);
  const ByteVector refuse = copy_of(writer.encode(Refuse{Code::kSessionElsewhere, "there", 0, to_steer(0)}));
  CHECK(reader.decode_refuse(payload(refuse))->steer == 256);
}

TEST_CASE("a renewal without a token, or with one that is too long, is malformed") {
  Codec writer, reader;
  for (const size_t bytes : {size_t{0}, kResumeTokenBytesMax + 1}) {
    const std::string token(bytes, 't');
    const ByteVector frame = copy_of(writer.encode(Renewal{token}));
    CHECK(reader.decode_renewal(payload(frame)).error().code == Code::kFrameMalformed);
  }
}

TEST_CASE("codes that this build does not know are passed on") {
  Codec codec;
  const ByteVector frame = copy_of(codec.encode(Refuse{static_cast<Code>(65'000), "from the future", 1}));
  CHECK(codec.decode_refuse(payload(frame))->code == static_cast<Code>(65'000));
}

TEST_CASE("texts of refusals, goodbyes and nacks are made fit to be sent") {
  Codec codec;
  const std::string text = "caf\xe9" + std::string(2000, 'e');
  const ByteVector refuse = copy_of(codec.encode(Refuse{Code::kForbidden, text, 0}));
  CHECK(codec.decode_refuse(payload(refuse))->text.substr(0, 8) ==
        "caf\xEF\xBF\xBD"
        "ee");
  CHECK(codec.decode_refuse(payload(refuse))->text.size() == 1024);
  const ByteVector goodbye = copy_of(codec.encode(Goodbye{Code::kServerDraining, text, 0}));
  CHECK(codec.decode_goodbye(payload(goodbye))->text.size() == 1024);
  const Nack nacks[] = {{1, Code::kHandlerFailed, text}};
  const ByteVector ack = copy_of(codec.encode(Ack{.cumulative = 1, .nacks = nacks}));
  CHECK(codec.decode_ack(payload(ack))->nacks[0].text.size() == 1024);
}

TEST_CASE("the texts of many nacks share the frame, those of few are whole") {
  Codec codec;
  const std::string text(300, 'n');
  for (const auto& [count, bytes] : {std::pair<size_t, size_t>{3, 300}, {13, 300}, {64, 64}, {500, 8}}) {
    std::vector<Nack> nacks;
    for (size_t i = 0; i < count; ++i) nacks.push_back({i + 1, Code::kHandlerFailed, text});
    const ByteVector frame = copy_of(codec.encode(Ack{.cumulative = count, .nacks = nacks}));
    const Result<Ack> ack = codec.decode_ack(payload(frame));
    REQUIRE(ack);
    CHECK(ack->nacks.size() == count);
    CHECK(std::ranges::all_of(ack->nacks, [&](const Nack& nack) { return nack.text.size() == bytes; }));
  }
}

TEST_CASE("a control payload that is empty, cut or not what it claims is malformed") {
  Codec codec;
  CHECK(code_of(codec.decode_hello({})) == Code::kFrameMalformed);
  CHECK(code_of(codec.decode_ack({})) == Code::kFrameMalformed);
  const ByteVector hello = copy_of(codec.encode(samples::hello()));
  const Bytes whole = payload(hello);
  for (size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK(code_of(codec.decode_hello(whole.first(length))) == Code::kFrameMalformed);
  }
  const ByteVector ack = copy_of(codec.encode(samples::full_ack()));
  CHECK(code_of(codec.decode_hello(payload(ack))) == Code::kFrameMalformed);
}

TEST_CASE("what the library says of a malformed payload is for the log: the text for peers is ours") {
  Codec codec;
  const ByteVector hello = copy_of(codec.encode(samples::hello()));
  size_t said = 0;
  for (size_t at = 0; at < payload(hello).size(); ++at) {
    ByteVector broken(payload(hello).begin(), payload(hello).end());
    broken[at] ^= 0xff;
    const auto decoded = codec.decode_hello(broken);
    if (decoded || decoded.error().detail.empty()) continue;
    ++said;
    CHECK(decoded.error().text == "Hello cannot be read: a bad pointer or text");
  }
  CHECK(said > 0);
}

#include "golden.h"

#include <algorithm>

#include "samples.h"
#include "source_root.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

/// The fenced blocks ```hex NAME of the protocol's page.
std::map<std::string, ByteVector> blocks_of_page() {
  constexpr std::string_view kOpening = "```hex ", kClosing = "```";
  const std::string page = text_of_file(testing::source_root() / "schema/README.md");
  std::map<std::string, ByteVector> blocks;
  for (size_t at = page.find(kOpening); at != std::string::npos; at = page.find(kOpening, at)) {
    at += kOpening.size();
    const size_t line = page.find('\n', at), end = page.find(kClosing, at);
    REQUIRE(line < end);
    blocks[page.substr(at, line - at)] = bytes_of_hex(page.substr(line, end - line));
  }
  return blocks;
}

}  // namespace

TEST_CASE("every sample is encoded to its golden bytes") {
  for (const auto& [name, bytes] : encoded_samples()) {
    INFO(name);
    CHECK(bytes == golden(name));
  }
}

TEST_CASE("golden bytes decode to their samples") {
  Codec codec;
  auto payload = [keep = ByteVector()](const std::string& name) mutable {
    keep = golden(name);
    return whole_frame(keep).payload;
  };

  const Result<Hello> hello = codec.decode_hello(payload("hello"));
  REQUIRE(hello);
  CHECK(hello->client_id == "sensor-7");
  CHECK(hello->uid.empty());
  CHECK(hello->agent == "example/1.0");

  const Result<Welcome> welcome = codec.decode_welcome(payload("welcome"));
  REQUIRE(welcome);
  CHECK(welcome->session == 0x1'0000'0000);
  CHECK(welcome->inline_bytes_max == 1 << 20);
  CHECK(welcome->outbox_messages_max == 1000);
  CHECK(welcome->heartbeat_ms == 15'000);
  CHECK(welcome->server == "godwit/0.1.0");

  const Result<Codec::Message> request = codec.decode_message(payload("request"));
  REQUIRE(request);
  check_equal(request->envelope, samples::request());
  CHECK(as_text(request->body) == samples::kBody);

  const Result<Codec::Message> response = codec.decode_message(payload("response"));
  REQUIRE(response);
  check_equal(response->envelope, samples::response());
  CHECK(as_text(response->body) == samples::kBody);

  const Result<Codec::Message> failure = codec.decode_message(payload("failure"));
  REQUIRE(failure);
  check_equal(failure->envelope, samples::failure());

  const Result<Envelope> event = codec.decode_message_head(payload("event_head"));
  REQUIRE(event);
  check_equal(*event, samples::event());

  const Result<Ack> ack = codec.decode_ack(payload("full_ack"));
  REQUIRE(ack);
  CHECK(ack->cumulative == 41);
  CHECK(std::ranges::equal(ack->ranges, samples::kRanges));
  REQUIRE(ack->nacks.size() == 2);
  CHECK(ack->nacks[0].seq == 40);
  CHECK(ack->nacks[0].code == Code::kHandlerNotFound);
  CHECK(ack->nacks[0].text == "no handler for event/x");
  CHECK(ack->nacks[1].text.empty());

  const Result<Refuse> refuse = codec.decode_refuse(payload("refuse"));
  REQUIRE(refuse);
  CHECK(refuse->code == Code::kUnauthenticated);
  CHECK(refuse->text == samples::refuse().text);

  const Result<Goodbye> goodbye = codec.decode_goodbye(payload("goodbye"));
  REQUIRE(goodbye);
  CHECK(goodbye->code == Code::kServerDraining);
  CHECK(goodbye->retry_after_ms == 5000);

  CHECK(codec.decode_renewal(payload("renewal"))->resume_token == samples::renewal().resume_token);
  CHECK(codec.decode_cancel(payload("cancel"))->id == samples::cancel().id);
  CHECK(codec.decode_ping(payload("ping"))->nonce == samples::ping().nonce);
  CHECK(codec.decode_pong(payload("pong"))->nonce == samples::pong().nonce);
}

TEST_CASE("the protocol's page shows the bytes that are really sent") {
  const std::map<std::string, ByteVector> page = blocks_of_page();
  const std::map<std::string, ByteVector> sent = encoded_samples();
  for (const char* name : {"hello", "welcome", "request", "response", "ack"}) {
    INFO(name);
    CHECK(page.contains(name));
  }
  for (const auto& [name, bytes] : page) {
    INFO(name);
    REQUIRE(sent.contains(name));
    CHECK(bytes == sent.at(name));
  }
}

TEST_CASE("the overhead of a message is what the protocol's page says, and at most 48 bytes") {
  Codec codec;
  Envelope request = samples::request();
  request.seq = 65'535;
  request.deadline_ms = 30'000;
  Envelope response = samples::response();
  response.seq = response.correlates = 65'535;
  const size_t request_bytes = codec.encode_message(request, 16)->size();
  const size_t response_bytes = codec.encode_message(response, 16)->size();

  const std::string page = text_of_file(testing::source_root() / "schema/README.md");
  const auto stated = [&](const std::string& words) { return page.find(words) != std::string::npos; };
  CHECK(stated("| request | " + std::to_string(request_bytes) + " bytes"));
  CHECK(stated("| response | " + std::to_string(response_bytes) + " bytes"));
  CHECK(request_bytes <= 48);
  CHECK(response_bytes <= 48);
}

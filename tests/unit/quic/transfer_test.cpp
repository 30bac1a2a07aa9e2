#include <catch2/catch.hpp>

#include "pair.h"

namespace godwit::quic::test {
namespace {

TEST_CASE("a handshake takes one round trip and both sides learn of it") {
  Pair pair;
  pair.client.connect(pair.server);
  CHECK_FALSE(pair.network.run_until([&] { return pair.client.seen().completed; }, 19ms));
  CHECK(pair.network.run_until([&] { return pair.client.seen().completed; }, 2ms));
  CHECK_FALSE(pair.server.connections_seen() > 0);
  CHECK(pair.network.run_until([&] { return pair.server.seen().completed; }, 11ms));
  CHECK(pair.client.connection()->alpn() == "godwit/1");
  CHECK(pair.server.connection()->alpn() == "godwit/1");
  CHECK(pair.server.endpoint().open_count() == 1);
}

TEST_CASE("bytes written on a stream arrive in order with their end") {
  Pair pair;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId stream = connection.open_bidi().value();
  CHECK(stream == 0);
  CHECK(connection.write(stream, as_bytes("hello ")));
  CHECK(connection.write(stream, as_bytes("world"), Connection::Fin::kYes));
  CHECK_FALSE(connection.write(stream, as_bytes("!")));
  CHECK(connection.queued_bytes() == 11);
  CHECK(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  CHECK(as_text(pair.server.received[stream]) == "hello world");
}

TEST_CASE("a hundred thousand messages on streams of their own leave no stream behind") {
  Pair pair;
  pair.client.collects = pair.server.collects = false;
  REQUIRE(pair.handshake());
  constexpr int kMessages = 100'000;
  int sent = 0;
  const auto send_some = [&](Connection& connection) {
    while (sent < kMessages) {
      const Result<StreamId> stream = connection.open_uni();
      if (!stream) return;
      connection.write(*stream, as_bytes("fire and forget"), Connection::Fin::kYes);
      ++sent;
    }
  };
  pair.client.on_event = [&](Connection& connection, const Event& event) {
    if (std::holds_alternative<StreamsAvailable>(event)) send_some(connection);
    return false;
  };
  send_some(*pair.client.connection());
  CHECK(sent == 100);
  CHECK(pair.client.metrics().streams_open.value() == 100);
  CHECK(pair.network.run_until([&] { return pair.client.seen().streams_closed == kMessages; }, 600s));
  pair.network.run_for(1s);
  CHECK(pair.server.seen().streams_closed == kMessages);
  CHECK(pair.client.metrics().streams_open.value() == 0);
  CHECK(pair.server.metrics().streams_open.value() == 0);
}

}  // namespace
}  // namespace godwit::quic::test

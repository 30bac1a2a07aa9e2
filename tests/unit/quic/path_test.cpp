#include <catch2/catch.hpp>

#include "pair.h"

namespace godwit::quic::test {
namespace {

/// Sends `bytes` both ways on one stream and compares.
void exchange(Pair& pair, size_t bytes, Duration limit) {
  const auto up = pattern(bytes, 11), down = pattern(bytes, 12);
  const StreamId stream = pair.client.connection()->open_bidi().value();
  pair.client.connection()->write_shared(stream, std::make_shared<const std::vector<uint8_t>>(up),
                                         Connection::Fin::kYes);
  REQUIRE(pair.network.run_until([&] { return !pair.server.received[stream].empty(); }));
  pair.server.connection()->write_shared(stream, std::make_shared<const std::vector<uint8_t>>(down),
                                         Connection::Fin::kYes);
  REQUIRE(pair.network.run_until([&] { return pair.server.ended[stream] && pair.client.ended[stream]; }, limit));
  CHECK(pair.server.received[stream] == up);
  CHECK(pair.client.received[stream] == down);
}

TEST_CASE("eight mebibytes pass both ways byte by byte, whatever the network does to packets") {
  struct Weather {
    const char* name;
    LinkRules rules;
  };
  const Weather weather =
      GENERATE(Weather{"fair", {}}, Weather{"loss", {.loss = 0.1}}, Weather{"reordering", {.jitter = 5ms}},
               Weather{"duplication", {.duplicate = 0.2}}, Weather{"corruption", {.corrupt = 0.02}},
               Weather{"all of it", {.loss = 0.02, .duplicate = 0.05, .corrupt = 0.01, .jitter = 3ms}});
  CAPTURE(weather.name);
  Pair pair(GENERATE(1u, 2u));
  REQUIRE(pair.handshake());
  pair.network.rules = weather.rules;
  exchange(pair, 8 << 20, 600s);
  CHECK_FALSE(pair.client.seen().closed);
  CHECK_FALSE(pair.server.seen().closed);
}

TEST_CASE("a transfer without loss fills packets of equal size and loses none") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  const auto packets = pair.client.metrics().packets_sent.value();
  const auto calls = pair.client.send_calls;
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.client.connection()->write(stream, pattern(1 << 20, 1), Connection::Fin::kYes);
  REQUIRE(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  const auto sent = pair.client.metrics().packets_sent.value() - packets;
  CHECK(sent < 850);
  CHECK(pair.client.send_calls - calls < 100);
  CHECK(pair.client.connection()->stats().packets_lost == 0);
}

TEST_CASE("a long path is filled up to the window") {
  Pair pair;
  pair.network.rules.delay = 50ms;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.server.collects = false;
  // Past slow start, the rate is one stream window a round trip.
  const auto body = std::make_shared<const std::vector<uint8_t>>(pattern(128 << 20, 1));
  pair.client.connection()->write_shared(stream, body, Connection::Fin::kYes);
  REQUIRE(pair.network.run_until([&] { return pair.client.connection()->queued_bytes() < (64u << 20); }, 60s));
  const Timestamp begin = pair.network.clock().now();
  REQUIRE(pair.network.run_until([&] { return pair.client.connection()->queued_bytes() == 0; }, 60s));
  const double seconds = std::chrono::duration<double>(pair.network.clock().now() - begin).count();
  const double bound = 6.0 * (1 << 20) / 0.1;
  CHECK((64 << 20) / seconds > 0.8 * bound);
}

TEST_CASE("handshakes succeed under loss") {
  int completed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Pair pair(seed);
    pair.network.rules.loss = 0.2;
    completed += pair.handshake(6s);
  }
  CHECK(completed >= 36);
}

TEST_CASE("a client whose port changes in the middle of a transfer loses nothing") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  const StreamId stream = pair.client.connection()->open_uni().value();
  const auto body = pattern(4 << 20, 5);
  const Bytes all(body);
  pair.client.connection()->write(stream, all.first(1 << 20));
  REQUIRE(pair.network.run_until([&] { return pair.server.received[stream].size() > 100'000; }));
  CHECK(pair.server.seen().paths_changed == 0);
  for (uint16_t port = 6001; port <= 6003; ++port) {
    pair.client.public_address.set_port(port);
    pair.client.connection()->write(stream, all.subspan((port - 6000u) << 20, 1 << 20));
    pair.network.run_for(200ms);
    CHECK(pair.server.connection()->path().remote.port() == port);
  }
  REQUIRE(pair.network.run_until([&] { return pair.server.received[stream].size() == body.size(); }));
  CHECK(pair.server.received[stream] == body);
  CHECK(pair.server.seen().paths_changed == 3);
  CHECK(pair.server.metrics().migrations.value() == 3);
  CHECK(pair.server.connection()->path().remote.port() == 6003);
  CHECK_FALSE(pair.client.seen().closed);
}

TEST_CASE("a client may move to another local address on purpose") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  const SocketAddress elsewhere = address("10.1.0.3:5001");
  pair.client.also_at = elsewhere;
  REQUIRE(pair.client.endpoint().migrate(pair.client.first(), {elsewhere, pair.server.address()}));
  CHECK(pair.client.seen().paths_changed == 0);
  pair.network.run_for(1s);
  CHECK(pair.client.seen().paths_changed == 1);
  CHECK(pair.server.connection()->path().remote == elsewhere);
  exchange(pair, 100'000, 10s);
  CHECK_FALSE(pair.server.endpoint().migrate(pair.server.first(), {elsewhere, elsewhere}));
}

TEST_CASE("a client that does not know its own address connects all the same") {
  Pair pair;
  const auto id = pair.client.endpoint().connect({address("0.0.0.0:5000"), pair.server.address()}, "localhost");
  REQUIRE(id);
  CHECK(pair.network.run_until([&] { return pair.client.seen(*id).completed; }, 1s));
}

TEST_CASE("keys may change under way") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  CHECK(pair.client.connection()->stats().key_updates == 0);
  for (uint64_t i = 1; i <= 4; ++i) {
    pair.client.connection()->update_keys();
    const StreamId stream = pair.client.connection()->open_uni().value();
    pair.client.connection()->write(stream, pattern(50'000, 6), Connection::Fin::kYes);
    REQUIRE(pair.network.run_until([&] { return pair.server.ended[stream]; }));
    CHECK(pair.server.received[stream] == pattern(50'000, 6));
    pair.network.run_for(2s);
    // The last change is confirmed by the next traffic only.
    CHECK(pair.client.connection()->stats().key_updates >= i - 1);
  }
}

TEST_CASE("packets carry ECN marks once the path is known to keep them") {
  Pair pair;
  int marked = 0;
  pair.network.filter = [&](const Packet& packet) {
    marked += packet.ecn != 0;
    return true;
  };
  REQUIRE(pair.handshake());
  exchange(pair, 100'000, 10s);
  CHECK(marked > 20);
}

TEST_CASE("packets grow to what the path carries and no further") {
  EndpointOptions options = client_options();
  options.transport.max_udp_payload_bytes = 1452;
  Pair pair(1, {}, options);
  size_t largest = 0;
  constexpr size_t kPathBytes = 1400;
  pair.network.filter = [&](const Packet& packet) {
    if (packet.bytes.size() > kPathBytes) return false;
    if (packet.to == pair.server.address()) largest = std::max(largest, packet.bytes.size());
    return true;
  };
  REQUIRE(pair.handshake());
  exchange(pair, 100'000, 60s);
  pair.network.run_for(30s);
  exchange(pair, 100'000, 60s);
  CHECK(largest > 1200);
  CHECK(largest <= kPathBytes);
}

}  // namespace
}  // namespace godwit::quic::test

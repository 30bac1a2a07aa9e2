#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "pair.h"

namespace godwit::quic::test {
namespace {

/// The first datagram that a client sends.
Packet first_flight(uint64_t seed = 1, EndpointOptions options = client_options()) {
  Network network(seed);
  Host client(network, "10.1.0.2:5000", std::move(options));
  Packet first;
  network.filter = [&](const Packet& packet) {
    if (first.bytes.empty()) first = packet;
    return false;
  };
  REQUIRE(client.endpoint().connect({client.address(), address("10.0.0.1:8453")}, "localhost"));
  network.run_for(1ms);
  REQUIRE(first.bytes.size() >= 1200);
  return first;
}

/// A server among strangers: counts what it answers.
struct LoneServer {
  explicit LoneServer(EndpointOptions options = server_options()) : host(network, "10.0.0.1:8453", std::move(options)) {
    network.filter = [this](const Packet& packet) {
      answers.push_back(packet);
      return false;
    };
  }

  void receive(Packet packet) {
    packet.to = host.address();
    network.inject(std::move(packet));
    network.run_for(1us);
  }

  Network network{1};
  Host host;
  std::vector<Packet> answers;
};

Packet short_packet(size_t bytes) {
  Packet packet{address("10.1.0.2:5000"), {}, 0, pattern(bytes, 3)};
  packet.bytes[0] = 0x40;
  return packet;
}

TEST_CASE("an Initial in a datagram of 1,199 bytes is dropped without an answer, one of 1,200 is not") {
  LoneServer server;
  Packet first = first_flight();
  const std::vector<uint8_t> whole(first.bytes.begin(), first.bytes.begin() + 1200);
  first.bytes = {whole.begin(), whole.begin() + 1199};
  server.receive(first);
  CHECK(server.answers.empty());
  CHECK(server.host.metrics().packets_dropped_small_initial.value() == 1);
  CHECK(server.host.endpoint().connection_count() == 0);
  server.receive(first_flight());
  CHECK_FALSE(server.answers.empty());
  CHECK(server.host.endpoint().connection_count() == 1);
}

TEST_CASE("an Initial whose destination id is shorter than eight bytes is dropped") {
  LoneServer server;
  Packet first = first_flight();
  first.bytes[5] = 7;
  server.receive(first);
  CHECK(server.answers.empty());
  CHECK(server.host.endpoint().connection_count() == 0);
  CHECK(server.host.metrics().packets_dropped_malformed.value() == 1);
}

TEST_CASE("noise of any length gets no answer larger than itself and leaves nothing") {
  LoneServer server;
  Prng prng(5);
  size_t largest_gain = 0;
  for (int i = 0; i < 3000; ++i) {
    Packet packet{address("10.1.0.2:5000"), {}, 0, pattern(1 + prng.below(1400), prng())};
    if (i % 3 == 0) packet.bytes[0] |= 0xc0;
    const size_t bytes = packet.bytes.size();
    const uint64_t before = server.host.bytes_sent;
    server.receive(std::move(packet));
    if (server.host.bytes_sent - before >= bytes) ++largest_gain;
  }
  CHECK(largest_gain == 0);
  CHECK(server.host.endpoint().connection_count() == 0);
}

TEST_CASE("an unknown version is answered with ours once the datagram is large enough to pay for it") {
  EndpointOptions options = server_options();
  options.admission.version_negotiations_per_s = 5;
  LoneServer server(options);
  Packet first = first_flight();
  first.bytes[1] = 0x1a, first.bytes[2] = 0x2a, first.bytes[3] = 0x3a, first.bytes[4] = 0x4a;
  Packet small = first;
  small.bytes.resize(1199);
  server.receive(small);
  CHECK(server.answers.empty());
  for (int i = 0; i < 20; ++i) server.receive(first);
  CHECK(server.answers.size() == 5);
  CHECK(server.host.metrics().version_negotiations_sent.value() == 5);
  const std::vector<uint8_t>& answer = server.answers.at(0).bytes;
  CHECK(std::vector<uint8_t>(answer.begin() + 1, answer.begin() + 5) == std::vector<uint8_t>{0, 0, 0, 0});
  const std::vector<uint8_t> v1{0, 0, 0, 1};
  CHECK(std::search(answer.begin(), answer.end(), v1.begin(), v1.end()) != answer.end());
  CHECK(answer.size() < 1200);
  CHECK(server.host.endpoint().connection_count() == 0);
}

TEST_CASE("a client that is told its version is unknown gives up at once") {
  Network network(1);
  Host client(network, "10.1.0.2:5000", client_options());
  const SocketAddress server = address("10.0.0.1:8453");
  network.filter = [&](const Packet& packet) {
    uint8_t answer[64];
    const uint32_t versions[] = {0x1a2a3a4a};
    const Bytes bytes(packet.bytes);
    const size_t dcid = bytes[5], scid = bytes[6 + dcid];
    const auto n = ngtcp2_pkt_write_version_negotiation(answer, sizeof answer, 0, &bytes[7 + dcid], scid, &bytes[6],
                                                        dcid, versions, 1);
    REQUIRE(n > 0);
    network.inject({server, client.address(), 0, {answer, answer + n}});
    return false;
  };
  const auto id = client.endpoint().connect({client.address(), server}, "localhost");
  network.run_for(10ms);
  REQUIRE(client.seen(*id).closed);
  CHECK(client.seen(*id).closed->code == Code::kVersionUnsupported);
}

TEST_CASE("both sides may agree on version 2, or on version 1 when one of them does not want it") {
  const bool client_wants = GENERATE(true, false), server_wants = GENERATE(true, false);
  EndpointOptions server = server_options(), client = client_options();
  server.transport.version2 = server_wants;
  client.transport.version2 = client_wants;
  Pair pair(1, server, client);
  bool saw_v2 = false;
  pair.network.filter = [&](const Packet& packet) {
    if (packet.bytes[0] & 0x80) saw_v2 |= packet.bytes[1] == 0x70;
    return true;
  };
  CHECK(pair.handshake());
  CHECK(saw_v2 == (client_wants && server_wants));
}

TEST_CASE("a short packet for nobody gets a shorter stateless reset, or none when it is too short") {
  EndpointOptions options = server_options();
  options.admission.stateless_resets_per_s = 10;
  LoneServer server(options);
  server.receive(short_packet(21));
  CHECK(server.answers.empty());
  server.receive(short_packet(22));
  REQUIRE(server.answers.size() == 1);
  CHECK(server.answers[0].bytes.size() == 21);
  server.receive(short_packet(50));
  REQUIRE(server.answers.size() == 2);
  CHECK(server.answers[1].bytes.size() <= 49);
  for (int i = 0; i < 1000; ++i) server.receive(short_packet(60));
  CHECK(server.answers.size() == 10);
  CHECK(server.host.metrics().stateless_resets_sent.value() == 10);
  server.network.run_for(1s);
  server.receive(short_packet(60));
  CHECK(server.answers.size() == 11);
}

TEST_CASE("two endpoints that know nothing of each other stop answering each other") {
  Network network(1);
  Host a(network, "10.0.0.1:1", server_options()), b(network, "10.0.0.2:2", server_options());
  Packet stray = short_packet(1000);
  stray.from = a.address(), stray.to = b.address();
  network.inject(stray);
  network.run_for(10s);
  CHECK(network.packets_sent < 50);
}

TEST_CASE("a server sends at most three times what it got before the address is proven") {
  LoneServer server;
  const Packet first = first_flight();
  server.receive(first);
  server.network.run_for(10s);
  CHECK(server.host.bytes_sent >= 1200);
  CHECK(server.host.bytes_sent <= 3 * first.bytes.size());
  CHECK(server.host.endpoint().connection_count() == 0);
}

TEST_CASE("from a number of unfinished handshakes on, a client must prove its address first") {
  EndpointOptions options = server_options();
  options.admission.half_open_retry = 3;
  LoneServer server(options);
  for (uint64_t i = 0; i < 3; ++i) server.receive(first_flight(i + 1));
  CHECK(server.host.metrics().retries_sent.value() == 0);
  CHECK(server.host.endpoint().connection_count() == 3);

  for (uint64_t i = 10; i < 20; ++i) server.receive(first_flight(i));
  CHECK(server.host.metrics().retries_sent.value() == 10);
  CHECK(server.host.endpoint().connection_count() == 3);

  // A real client goes through it.
  server.network.filter = nullptr;
  Host client(server.network, "10.9.0.9:9000", client_options());
  client.connect(server.host);
  CHECK(server.network.run_until([&] { return client.seen().completed; }, 1s));
  CHECK(server.host.metrics().retries_sent.value() == 11);
  CHECK(server.host.metrics().tokens_rejected.value() == 0);

  // Quiet for a while: nothing is asked for any more.
  server.network.run_for(6s);
  Host later(server.network, "10.9.0.10:9000", client_options());
  later.connect(server.host);
  CHECK(server.network.run_until([&] { return later.seen().completed; }, 1s));
  CHECK(server.host.metrics().retries_sent.value() == 11);
}

/// A client in front of a server that always asks for a Retry; keeps what the client sends.
struct RetryWorld {
  RetryWorld() {
    network.filter = [this](const Packet& packet) {
      if (packet.to == server.address()) to_server.push_back(packet);
      return pass;
    };
  }
  static EndpointOptions options() {
    EndpointOptions out = server_options();
    out.admission.half_open_retry = 0;
    return out;
  }
  Network network{1};
  Host server{network, "10.0.0.1:8453", options()};
  Host client{network, "10.1.0.2:5000", client_options()};
  std::vector<Packet> to_server;
  bool pass = true;
};

TEST_CASE("a Retry token counts for its address and for ten seconds") {
  RetryWorld world;
  world.client.connect(world.server);
  REQUIRE(world.network.run_until([&] { return world.to_server.size() >= 2; }));
  Packet token = world.to_server[1];
  REQUIRE(world.network.run_until([&] { return world.client.seen().completed; }));
  WorkerMetrics& metrics = world.server.metrics();
  CHECK(metrics.retries_sent.value() == 1);
  CHECK(metrics.tokens_rejected.value() == 0);
  world.client.connection()->close(Code::kOk, "");
  world.network.run_for(5s);
  REQUIRE(world.server.endpoint().connection_count() == 0);
  world.pass = false;

  SECTION("again in time: a connection") {
    world.network.inject(token);
    world.network.run_for(1us);
    CHECK(world.server.endpoint().connection_count() == 1);
  }
  SECTION("from another address: refused") {
    token.from = address("10.1.0.3:5000");
    world.network.inject(token);
    world.network.run_for(1us);
    CHECK(world.server.endpoint().connection_count() == 0);
    CHECK(metrics.tokens_rejected.value() == 1);
  }
  SECTION("forged: refused") {
    // The token follows version, the two ids with their lengths, and its own length in two bytes.
    const size_t dcid = token.bytes[5], scid = token.bytes[6 + dcid];
    token.bytes[7 + dcid + scid + 2 + 10] ^= 1;
    world.network.inject(token);
    world.network.run_for(1us);
    CHECK(world.server.endpoint().connection_count() == 0);
    CHECK(metrics.tokens_rejected.value() == 1);
  }
  SECTION("too late: refused") {
    world.network.run_for(6s);
    world.network.inject(token);
    world.network.run_for(1us);
    CHECK(world.server.endpoint().connection_count() == 0);
    CHECK(metrics.tokens_rejected.value() == 1);
  }
}

TEST_CASE("a refused token is a definite answer for the client") {
  RetryWorld world;
  world.client.connect(world.server);
  world.network.filter = [&](const Packet& packet) {
    if (packet.to == world.server.address() && world.server.metrics().retries_sent.value() == 1) {
      Packet forged = packet;
      const size_t dcid = forged.bytes[5], scid = forged.bytes[6 + dcid];
      forged.bytes[7 + dcid + scid + 2 + 10] ^= 1;
      world.network.inject(forged);
      return false;
    }
    return true;
  };
  world.network.run_for(1s);
  REQUIRE(world.client.seen().closed);
  CHECK(world.client.seen().closed->code == Code::kAddressNotValidated);
}

TEST_CASE("a network prefix has no more than its share of unfinished handshakes, loopback excepted") {
  EndpointOptions options = server_options();
  options.admission.half_open_per_prefix_max = 4;
  LoneServer server(options);
  Prng prng(1);
  const auto flood = [&](const std::string& from, uint64_t seed, int count) {
    for (int i = 0; i < count; ++i) {
      Packet packet = first_flight(seed + static_cast<uint64_t>(i));
      packet.from = address(from);
      server.receive(packet);
    }
  };
  flood("10.1.0.2:5000", 100, 4);
  CHECK(server.host.metrics().connections_refused.value() == 0);
  flood("10.1.0.77:5000", 200, 3);
  CHECK(server.host.metrics().connections_refused.value() == 3);
  flood("10.2.0.2:5000", 300, 4);
  flood("127.0.0.1:5000", 400, 6);
  CHECK(server.host.metrics().connections_refused.value() == 3);
  CHECK(server.host.endpoint().connection_count() == 14);
  server.network.run_for(6s);
  CHECK(server.host.endpoint().connection_count() == 0);
  flood("10.1.0.2:5000", 500, 4);
  CHECK(server.host.metrics().connections_refused.value() == 3);
}

TEST_CASE("at the connection limit a client is refused with a definite answer, and gets in when one leaves") {
  EndpointOptions options = server_options();
  options.admission.connections_max = 1;
  Pair pair(1, options);
  REQUIRE(pair.handshake());
  Host second(pair.network, "10.1.0.3:5000", client_options());
  second.connect(pair.server);
  pair.network.run_for(1s);
  REQUIRE(second.seen().closed);
  CHECK(second.seen().closed->code == Code::kConnectionRefused);
  CHECK(pair.server.metrics().connections_refused.value() >= 1);
  pair.client.connection()->close(Code::kOk, "");
  pair.network.run_for(5s);
  Host third(pair.network, "10.1.0.4:5000", client_options());
  third.connect(pair.server);
  CHECK(pair.network.run_until([&] { return third.seen().completed; }, 1s));
}

TEST_CASE("a server that stopped accepting refuses new clients and keeps the old") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.server.endpoint().stop_accepting();
  Host second(pair.network, "10.1.0.3:5000", client_options());
  second.connect(pair.server);
  pair.network.run_for(1s);
  REQUIRE(second.seen().closed);
  CHECK(second.seen().closed->code == Code::kConnectionRefused);
  CHECK_FALSE(pair.client.seen().closed);
  CHECK(pair.server.endpoint().open_count() == 1);
}

TEST_CASE("connection ids that a server issues name its worker and nothing else") {
  EndpointOptions options = server_options();
  options.worker_index = 2;
  options.worker_count = 3;
  Pair pair(1, options);
  int ids = 0;
  std::set<std::vector<uint8_t>> distinct;
  pair.network.filter = [&](const Packet& packet) {
    if (packet.to == pair.server.address() && !(packet.bytes[0] & 0x80)) {
      ++ids;
      CHECK(packet.bytes[1] % 3 == 2);
      distinct.insert({packet.bytes.begin() + 1, packet.bytes.begin() + 17});
    }
    return true;
  };
  REQUIRE(pair.handshake());
  for (uint16_t port = 6001; port < 6004; ++port) {
    pair.client.public_address.set_port(port);
    pair.client.connection()->write(pair.client.connection()->open_uni().value(), as_bytes("x"), Connection::Fin::kYes);
    pair.network.run_for(1s);
  }
  CHECK(ids > 3);
  CHECK_FALSE(distinct.empty());
}

TEST_CASE("packets that arrive damaged or twice change nothing") {
  Pair pair;
  pair.network.rules.corrupt = 0.3;
  pair.network.rules.duplicate = 0.3;
  REQUIRE(pair.handshake(5s));
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.client.connection()->write(stream, pattern(200'000, 1), Connection::Fin::kYes);
  REQUIRE(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  CHECK(pair.server.received[stream] == pattern(200'000, 1));
  CHECK(pair.server.endpoint().connection_count() == 1);
}

}  // namespace
}  // namespace godwit::quic::test

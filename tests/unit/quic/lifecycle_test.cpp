#include <catch2/catch.hpp>

#include <fstream>

#include "certificates.h"

namespace godwit::quic::test {
namespace {

using CloseMode = Connection::CloseMode;

TEST_CASE("a silent connection ends at the idle timeout and not before") {
  EndpointOptions options = server_options();
  options.transport.idle_timeout = 30s;
  Pair pair(1, options);
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  const auto quiet = pair.network.packets_sent;
  pair.network.run_for(28s);
  CHECK(pair.network.packets_sent == quiet);
  CHECK_FALSE(pair.client.seen().closed);
  CHECK_FALSE(pair.server.seen().closed);
  pair.network.run_for(2s);
  REQUIRE(pair.client.seen().closed);
  REQUIRE(pair.server.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kIdleTimeout);
  CHECK(pair.server.seen().closed->code == Code::kIdleTimeout);
  CHECK(pair.server.endpoint().connection_count() == 0);
  CHECK(pair.server.metrics().connections_closed_idle.value() == 1);
}

TEST_CASE("keep-alive holds a silent connection") {
  EndpointOptions options = client_options();
  options.transport.idle_timeout = 30s;
  options.transport.keep_alive = 10s;
  Pair pair(1, {}, options);
  REQUIRE(pair.handshake());
  pair.network.run_for(600s);
  CHECK_FALSE(pair.client.seen().closed);
  CHECK_FALSE(pair.server.seen().closed);
}

TEST_CASE("a path that swallows everything ends both sides without spinning") {
  EndpointOptions options = server_options();
  options.transport.idle_timeout = 20s;
  Pair pair(1, options);
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.network.rules.loss = 1;
  pair.client.connection()->write(stream, pattern(1 << 20, 1));
  const auto before = pair.client.send_calls;
  pair.network.run_for(120s);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kIdleTimeout);
  CHECK(pair.client.send_calls - before < 40);
  CHECK(pair.client.endpoint().connection_count() == 0);
}

TEST_CASE("a server that does not answer is given up after the handshake timeout") {
  Pair pair;
  pair.network.rules.loss = 1;
  pair.client.connect(pair.server);
  pair.network.run_for(4900ms);
  CHECK_FALSE(pair.client.seen().closed);
  pair.network.run_for(200ms);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kConnectTimeout);
  CHECK(pair.client.endpoint().connection_count() == 0);
}

TEST_CASE("a client that goes silent in the handshake is forgotten in five seconds, and its owner never hears of it") {
  Pair pair;
  pair.network.filter = [&](const Packet& packet) {
    return !(packet.to == pair.server.address()) || pair.network.packets_sent == 1;
  };
  pair.client.connect(pair.server);
  pair.network.run_for(4900ms);
  CHECK(pair.server.endpoint().connection_count() == 1);
  CHECK(pair.server.metrics().connections_handshaking.value() == 1);
  pair.network.run_for(200ms);
  CHECK(pair.server.endpoint().connection_count() == 0);
  CHECK(pair.server.metrics().connections_handshaking.value() == 0);
  CHECK(pair.server.connections_seen() == 0);
  CHECK(pair.server.timers().size() == 0);
}

TEST_CASE("a handshake that stalls half way ends as such for the client") {
  // A chain of certificates makes the server's first flight larger than one packet.
  const ScratchDir dir;
  Authority authority(dir);
  const Identity identity = authority.issue("server");
  std::ofstream(dir / "chain.pem") << std::ifstream(identity.certificate).rdbuf()
                                   << std::ifstream(authority.file()).rdbuf()
                                   << std::ifstream(authority.file()).rdbuf();
  EndpointOptions options = server_options();
  options.tls_server =
      load_tls_server({.certificate_file = dir / "chain.pem", .key_file = identity.key}, real_unix_us()).value();
  EndpointOptions trusting;
  trusting.tls_client = load_tls_client({.ca_file = authority.file()}).value();
  Pair pair(1, options, trusting);
  int heard = 0;
  pair.network.filter = [&](const Packet& packet) { return !(packet.to == pair.client.address()) || ++heard == 1; };
  pair.client.connect(pair.server);
  pair.network.run_for(6s);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kHandshakeTimeout);
}

TEST_CASE("closing tells the peer code and reason, and each side hears of it once") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.server.connection()->close(Code::kServerDraining, "back soon");
  CHECK_FALSE(pair.server.seen().closed);
  pair.network.run_for(100ms);
  REQUIRE(pair.server.seen().closed);
  CHECK(pair.server.seen().closed->code == Code::kServerDraining);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kPeerClosed);
  CHECK(pair.client.seen().closed->app_error == to_app_error(Code::kServerDraining));
  CHECK(pair.client.seen().closed->reason == "back soon");
  CHECK(pair.server.metrics().connections_closed_local.value() == 1);
  CHECK(pair.client.metrics().connections_closed_peer.value() == 1);
  CHECK(pair.client.metrics().connections_draining.value() == 1);
  CHECK_FALSE(pair.client.connection()->open_uni());
  pair.network.run_for(5s);
  CHECK(pair.client.endpoint().connection_count() == 0);
  CHECK(pair.server.endpoint().connection_count() == 0);
  CHECK(pair.client.metrics().connections_draining.value() == 0);
  CHECK(pair.client.seen().events_after_closed == 0);
  CHECK(pair.server.seen().events_after_closed == 0);
  CHECK(pair.server.timers().size() == 0);
}

TEST_CASE("a goodbye after what is queued comes after all of it has arrived") {
  Pair pair;
  pair.network.rules.loss = 0.1;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  const auto body = pattern(200'000, 4);
  pair.client.connection()->write(stream, body, Connection::Fin::kYes);
  pair.client.connection()->close(Code::kOk, "bye", CloseMode::kAfterQueued);
  CHECK_FALSE(pair.client.connection()->write(stream, as_bytes("late")));
  CHECK_FALSE(pair.client.connection()->open_uni());
  REQUIRE(pair.network.run_until([&] { return pair.client.seen().closed.has_value(); }));
  CHECK(pair.server.received[stream] == body);
}

TEST_CASE("a goodbye does not wait for ever for a peer that is gone") {
  Pair pair;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.network.rules.loss = 1;
  pair.client.connection()->write(stream, as_bytes("nobody hears"));
  pair.client.connection()->close(Code::kOk, "bye", CloseMode::kAfterQueued);
  CHECK(pair.network.run_until([&] { return pair.client.seen().closed.has_value(); }, 2s));
  CHECK(pair.client.seen().closed->code == Code::kOk);
}

TEST_CASE("a goodbye waits 30 seconds for a peer that is awake and takes nothing in") {
  Pair pair;
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  const StreamId sign_of_life = pair.server.connection()->open_uni().value();
  pair.client.connection()->write(stream, pattern(4 << 20, 4));
  pair.client.connection()->close(Code::kOk, "bye", CloseMode::kAfterQueued);
  const auto stay_awake_for = [&](int seconds) {
    for (int i = 0; i < seconds && !pair.client.seen().closed; ++i) {
      pair.server.connection()->write(sign_of_life, as_bytes("x"));
      pair.network.run_for(1s);
    }
  };
  stay_awake_for(29);
  CHECK_FALSE(pair.client.seen().closed);
  stay_awake_for(2);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->code == Code::kOk);
}

TEST_CASE("an abort overtakes a goodbye that waits") {
  Pair pair;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.client.connection()->write(stream, pattern(1 << 20, 4));
  pair.client.connection()->close(Code::kOk, "bye", CloseMode::kAfterQueued);
  pair.client.connection()->close(Code::kCancelled, "now");
  pair.network.run_for(100ms);
  REQUIRE(pair.server.seen().closed);
  CHECK(pair.server.seen().closed->app_error == to_app_error(Code::kCancelled));
}

TEST_CASE("an owner may close a connection while being told of it") {
  Pair pair;
  pair.server.on_event = [&](Connection& connection, const Event& event) {
    if (std::holds_alternative<StreamReadable>(event)) connection.close(Code::kProtocolError, "no");
    return false;
  };
  REQUIRE(pair.handshake());
  pair.client.connection()->write(pair.client.connection()->open_uni().value(), as_bytes("x"));
  pair.network.run_for(100ms);
  REQUIRE(pair.client.seen().closed);
  CHECK(pair.client.seen().closed->app_error == to_app_error(Code::kProtocolError));
}

TEST_CASE("a closed side answers a peer that goes on at its first, second, fourth and eighth packet") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  // The server's goodbyes get lost, so the client goes on.
  uint64_t goodbyes = 0;
  pair.network.filter = [&](const Packet& packet) {
    if (!(packet.to == pair.client.address())) return true;
    ++goodbyes;
    return false;
  };
  pair.server.connection()->close(Code::kOk, "bye");
  pair.network.run_for(1ms);
  CHECK(goodbyes == 1);
  Packet stray{pair.client.address(), pair.server.address(), 0, {}};
  pair.network.filter = [&](const Packet& packet) {
    if (packet.to == pair.server.address()) stray.bytes = packet.bytes;
    if (packet.to == pair.client.address()) ++goodbyes;
    return false;
  };
  pair.client.connection()->write(pair.client.connection()->open_uni().value(), as_bytes("still here"));
  pair.network.run_for(1ms);
  REQUIRE_FALSE(stray.bytes.empty());
  goodbyes = 0;
  std::vector<uint64_t> answered;
  for (int i = 1; i <= 9; ++i) {
    pair.network.inject(stray);
    pair.network.run_for(1ms);
    answered.push_back(goodbyes);
  }
  CHECK(answered == std::vector<uint64_t>{1, 2, 2, 3, 3, 3, 3, 4, 4});
}

TEST_CASE("a server that lost its state makes the client end by a stateless reset") {
  Network network(1);
  Host client(network, "10.1.0.2:5000", client_options());
  auto server = std::make_unique<Host>(network, "10.0.0.1:8453", server_options());
  client.connect(*server);
  REQUIRE(network.run_until([&] { return client.seen().completed && server->endpoint().open_count() == 1; }));
  network.run_for(1s);
  server = std::make_unique<Host>(network, "10.0.0.1:8453", server_options());
  CHECK_FALSE(client.seen().closed);
  client.connection()->write(client.connection()->open_uni().value(), as_bytes("hello?"));
  REQUIRE(network.run_until([&] { return client.seen().closed.has_value(); }, 5s));
  CHECK(client.seen().closed->code == Code::kConnectionReset);
  CHECK(server->metrics().stateless_resets_sent.value() == 1);
}

TEST_CASE("a server with another key cannot reset the connection") {
  Network network(1);
  Host client(network, "10.1.0.2:5000", client_options());
  auto server = std::make_unique<Host>(network, "10.0.0.1:8453", server_options());
  client.connect(*server);
  REQUIRE(network.run_until([&] { return client.seen().completed && server->endpoint().open_count() == 1; }));
  EndpointOptions other = server_options();
  other.secrets.stateless_reset_key.fill(1);
  server = std::make_unique<Host>(network, "10.0.0.1:8453", other);
  client.connection()->write(client.connection()->open_uni().value(), as_bytes("hello?"));
  network.run_for(5s);
  CHECK(server->metrics().stateless_resets_sent.value() > 0);
  CHECK_FALSE(client.seen().closed);
}

TEST_CASE("a connection is recorded on request, up to a bound") {
  const ScratchDir dir;
  EndpointOptions options = server_options();
  options.transport.qlog_dir = dir / "";
  options.transport.qlog_bytes_max = 20'000;
  {
    Pair pair(1, options);
    REQUIRE(pair.handshake());
    const StreamId stream = pair.client.connection()->open_uni().value();
    pair.client.connection()->write(stream, pattern(1 << 20, 1), Connection::Fin::kYes);
    REQUIRE(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "")) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  CHECK(files[0].filename().string().find_first_not_of("0123456789abcdef") == 32);
  CHECK(std::filesystem::file_size(files[0]) > 10'000);
  CHECK(std::filesystem::file_size(files[0]) <= 20'000);
}

TEST_CASE("endpoints may go in any state of their connections") {
  auto pair = std::make_unique<Pair>();
  pair->client.connect(pair->server);
  SECTION("before anything was sent") {}
  SECTION("in the handshake") { pair->network.run_for(15ms); }
  SECTION("in the middle of a transfer") {
    pair->network.run_for(50ms);
    pair->client.connection()->write(pair->client.connection()->open_uni().value(), pattern(1 << 20, 1));
    pair->network.run_for(15ms);
  }
  SECTION("while closing") {
    pair->network.run_for(50ms);
    pair->client.connection()->close(Code::kOk, "");
    pair->network.run_for(15ms);
  }
  pair.reset();
}

}  // namespace
}  // namespace godwit::quic::test

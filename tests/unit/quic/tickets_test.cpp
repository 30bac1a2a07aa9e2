#include <catch2/catch.hpp>

#include "certificates.h"
#include "quic/key_ring.h"
#include "quic/tls_context.h"
#include "quic/wolfssl_api.h"

namespace godwit::quic::test {
namespace {

using ClientAuth = TlsServerConfig::ClientAuth;

/// A client and a server that gives tickets, which meet again and again.
struct Meetings {
  explicit Meetings(TlsServerConfig config = {}) : server_config(std::move(config)) {
    server_config.certificate_file = identity.certificate;
    server_config.key_file = identity.key;
    server_config.ticket_sealer = &keys;
    pair.emplace(1, with_tls(), client());
  }

  EndpointOptions with_tls() {
    EndpointOptions options = server_options();
    options.tls_server = load_tls_server(server_config, real_unix_us()).value();
    return options;
  }
  EndpointOptions client() {
    EndpointOptions options;
    options.tls_client = load_tls_client({.ca_file = authority.file(),
                                          .certificate_file = own.certificate,
                                          .key_file = own.key,
                                          .alpn = {"godwit/1", "godwit/2"}})
                             .value();
    tls = options.tls_client;
    return options;
  }
  /// What a connection of that name was: 1 when a ticket began it, 0 when not; -1 when it failed.
  int meet(const std::string& name = "localhost") {
    Host& client = pair->client;
    const uint64_t before = client.metrics().handshakes_resumed.value();
    const uint64_t seen = pair->server.metrics().handshakes_resumed.value();
    const ConnectionId id = client.connect(pair->server, name);
    if (!pair->network.run_until([&] { return client.seen(id).completed || client.seen(id).closed; })) return -1;
    pair->network.run_for(200ms);
    if (client.seen(id).closed) return -1;
    const auto resumed = static_cast<int>(client.metrics().handshakes_resumed.value() - before);
    CHECK(static_cast<int>(pair->server.metrics().handshakes_resumed.value() - seen) == resumed);
    CHECK(client.endpoint().get(id)->peer_certificate_name() == "localhost");
    return resumed;
  }
  void replace_server_tls() {
    pair->server.endpoint().reconfigure({}, {}, load_tls_server(server_config, real_unix_us()).value());
  }

  const ScratchDir dir;
  Authority authority{dir};
  Identity identity = authority.issue("server", {.dns = {"localhost", "other.example"}});
  Identity own = authority.issue("client", {.common_name = "client", .dns = {"client.example"}});
  SeededEntropy entropy{1};
  KeyRing keys{entropy};
  TlsServerConfig server_config;
  std::shared_ptr<TlsClient> tls;
  std::optional<Pair> pair;
};

TEST_CASE("a client that comes back begins with the ticket of its last connection") {
  Meetings meetings;
  CHECK(meetings.meet() == 0);
  for (int i = 0; i < 5; ++i) CHECK(meetings.meet() == 1);
}

TEST_CASE("each ticket is used once: the second of two connections that begin together proves itself anew") {
  Meetings meetings;
  REQUIRE(meetings.meet() == 0);
  Host& client = meetings.pair->client;
  for (int i = 0; i < 2; ++i) client.connect(meetings.pair->server);
  meetings.pair->network.run_for(1s);
  CHECK(client.metrics().connections_opened.value() == 3);
  CHECK(client.metrics().handshakes_resumed.value() == 1);
}

TEST_CASE("a ticket opens while its key is one of three, and then costs a full handshake") {
  Meetings meetings;
  REQUIRE(meetings.meet() == 0);
  for (size_t i = 1; i < KeyRing::kKeysMax; ++i) meetings.keys.rotate();
  CHECK(meetings.meet() == 1);
  for (size_t i = 0; i < KeyRing::kKeysMax; ++i) meetings.keys.rotate();
  CHECK(meetings.meet() == 0);
  CHECK(meetings.meet() == 1);
}

TEST_CASE("a ticket is good for the name that it was given under") {
  Meetings meetings;
  REQUIRE(meetings.meet() == 0);
  auto stolen = meetings.tls->tickets().take("localhost");
  REQUIRE(stolen);
  meetings.tls->tickets().put("other.example", std::move(*stolen));
  CHECK(meetings.meet("other.example") == 0);
  CHECK(meetings.meet("other.example") == 1);
}

TEST_CASE("a ticket is good for the certificate and the protocols that it was given under") {
  Meetings meetings;
  REQUIRE(meetings.meet() == 0);
  SECTION("another certificate") {
    const Identity next = meetings.authority.issue("next");
    meetings.server_config.certificate_file = next.certificate;
    meetings.server_config.key_file = next.key;
  }
  SECTION("another protocol") { meetings.server_config.alpn = {"godwit/2"}; }
  meetings.replace_server_tls();
  CHECK(meetings.meet() == 0);
  CHECK(meetings.meet() == 1);
}

TEST_CASE("a server that asks for client certificates gives no tickets, and learns each time who it is") {
  Meetings meetings;
  meetings.server_config.client_ca_file = meetings.authority.file();
  meetings.server_config.client_auth = GENERATE(ClientAuth::kRequest, ClientAuth::kRequire);
  meetings.replace_server_tls();
  for (int i = 0; i < 3; ++i) {
    CHECK(meetings.meet() == 0);
    CHECK_FALSE(meetings.tls->tickets().take("localhost"));
  }
}

TEST_CASE("a server without keys for them gives no tickets") {
  Meetings meetings;
  meetings.server_config.ticket_sealer = nullptr;
  meetings.replace_server_tls();
  CHECK(meetings.meet() == 0);
  CHECK(meetings.meet() == 0);
}

TEST_CASE("a ticket allows no early data") {
  Meetings meetings;
  REQUIRE(meetings.meet() == 0);
  const auto ticket = meetings.tls->tickets().take("localhost");
  REQUIRE(ticket);
  CHECK(wolfSSL_SESSION_get_max_early_data(ticket->session.get()) == 0);
}

TEST_CASE("a ring with the keys of another one opens what that one sealed, and goes on where it was") {
  SeededEntropy entropy(7);
  KeyRing first(entropy), second(entropy);
  first.rotate();
  const std::vector<uint8_t> plain = pattern(50, 1);
  const auto sealed = first.seal(plain, as_bytes("about"));
  CHECK_FALSE(second.open(sealed, as_bytes("about")));
  REQUIRE(second.restore(first.text()));
  CHECK(second.open(sealed, as_bytes("about")) == plain);
  CHECK(second.generation() == first.generation());
  CHECK(second.text() == first.text());
  const std::string text = first.text();
  for (const std::string& wrong :
       {std::string(), std::string("x"), text.substr(1), text.substr(0, text.size() - 3), text + text}) {
    CHECK_FALSE(second.restore(wrong));
    CHECK(second.open(sealed, as_bytes("about")) == plain);
  }
}

TEST_CASE("a store of tickets keeps one for each server, and not for more than it has room for") {
  Meetings meetings;
  TicketStore store;
  for (size_t i = 0; i < TicketStore::kServersMax + 10; ++i) store.put(std::to_string(i), {});
  size_t kept = 0;
  for (size_t i = 0; i < TicketStore::kServersMax + 10; ++i) kept += store.take(std::to_string(i)).has_value();
  CHECK(kept == TicketStore::kServersMax);
  CHECK_FALSE(store.take("1"));
}

}  // namespace
}  // namespace godwit::quic::test

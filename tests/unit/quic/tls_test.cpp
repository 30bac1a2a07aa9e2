#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <fstream>

#include "certificates.h"
#include "quic/tls_context.h"

namespace godwit::quic::test {
namespace {

using ClientAuth = TlsServerConfig::ClientAuth;

EndpointOptions server_with(TlsServerConfig config) {
  EndpointOptions out = server_options();
  out.tls_server = load_tls_server(config, real_unix_us()).value();
  return out;
}

EndpointOptions server_with(const Identity& identity, ClientAuth auth = ClientAuth::kNone,
                            std::filesystem::path ca = {}) {
  return server_with(
      {.certificate_file = identity.certificate, .key_file = identity.key, .client_ca_file = ca, .client_auth = auth});
}

EndpointOptions client_with(TlsClientConfig config) {
  EndpointOptions out;
  out.tls_client = load_tls_client(config).value();
  return out;
}

/// Connects, and says how it ended for the client: kOk when the handshake stands.
Code outcome(Pair& pair, const std::string& name = "localhost") {
  pair.client.connect(pair.server, name);
  pair.network.run_until(
      [&] { return pair.client.seen().closed || (pair.client.seen().completed && pair.server.connections_seen() > 0); },
      10s);
  pair.network.run_for(100ms);
  if (const auto& closed = pair.client.seen().closed) return closed->code;
  return pair.client.seen().completed ? Code::kOk : Code::kInternal;
}

std::string refusal(const TlsServerConfig& config) {
  const auto loaded = load_tls_server(config, real_unix_us());
  return loaded ? "loaded" : loaded.error().to_string();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("a self-signed certificate verifies for its names and addresses and for no others") {
  const std::string name = GENERATE("localhost", "127.0.0.1", "::1");
  CAPTURE(name);
  Pair good;
  CHECK(outcome(good, name) == Code::kOk);
  CHECK(good.server.seen().completed);

  const std::string wrong = GENERATE("example.org", "127.0.0.2", "::2");
  CAPTURE(wrong);
  Pair bad;
  CHECK(outcome(bad, wrong) == Code::kCertificateUntrusted);
  CHECK(bad.server.connections_seen() == 0);
}

TEST_CASE("a server whose certificate nobody vouches for is refused, unless verification is switched off") {
  const ScratchDir dir;
  Authority stranger(dir);
  Pair refused(1, server_with(stranger.issue("server")));
  CHECK(outcome(refused) == Code::kCertificateUntrusted);
  CHECK(refused.server.connections_seen() == 0);

  Pair insecure(1, server_with(stranger.issue("again")), client_with({.verify = false}));
  CHECK(outcome(insecure) == Code::kOk);
  CHECK(insecure.client.connection()->peer_certificate_name().empty());
}

TEST_CASE("a certificate of a trusted authority verifies by its subject alternative names") {
  const ScratchDir dir;
  Authority authority(dir);
  const Identity identity =
      authority.issue("server", {.common_name = "other", .dns = {"chat.example", "*.pool.example"}});
  const std::string name = GENERATE("chat.example", "a.pool.example");
  Pair pair(1, server_with(identity), client_with({.ca_file = authority.file()}));
  CHECK(outcome(pair, name) == Code::kOk);
  CHECK(pair.client.connection()->peer_certificate_name() == "other");
  Pair wrong(1, server_with(identity), client_with({.ca_file = authority.file()}));
  CHECK(outcome(wrong, "other") == Code::kCertificateUntrusted);
}

TEST_CASE("a client that asks for another protocol gets the alert, and the server makes no session") {
  Pair pair(1, {}, client_with({.verify = false, .alpn = {"h3"}}));
  CHECK(outcome(pair) == Code::kAlpnMismatch);
  CHECK(pair.server.metrics().alpn_mismatches.value() == 1);
  CHECK(pair.server.connections_seen() == 0);
  CHECK_FALSE(pair.client.seen().completed);
}

TEST_CASE("a client that names no protocol is refused before it has keys") {
  EndpointOptions options;
  options.tls_client = std::make_shared<TlsClient>(TlsContext::make(Role::kClient, {}).value(), false);
  Pair pair(1, {}, options);
  CHECK(outcome(pair) == Code::kAlpnMismatch);
  CHECK(pair.server.metrics().alpn_mismatches.value() == 1);
  CHECK(pair.server.connections_seen() == 0);
  CHECK_FALSE(pair.client.seen().completed);
}

TEST_CASE("the protocol both know is agreed, whatever the order") {
  const ScratchDir dir;
  Authority authority(dir);
  const Identity identity = authority.issue("server");
  Pair pair(1,
            server_with(
                {.certificate_file = identity.certificate, .key_file = identity.key, .alpn = {"godwit/2", "godwit/1"}}),
            client_with({.ca_file = authority.file(), .alpn = {"h3", "godwit/1"}}));
  CHECK(outcome(pair) == Code::kOk);
  CHECK(pair.server.connection()->alpn() == "godwit/1");
  CHECK(pair.client.connection()->alpn() == "godwit/1");
}

TEST_CASE("where client certificates are required, only one of the right authority gets in") {
  const ScratchDir dir;
  Authority authority(dir, "clients"), stranger(dir, "strangers");
  const Identity server = authority.issue("server");
  const Identity good = authority.issue("alice", {.common_name = "alice", .dns = {"alice.example"}});
  const Identity bad = stranger.issue("mallory", {.common_name = "mallory", .dns = {"mallory.example"}});
  const auto options = [&] { return server_with(server, ClientAuth::kRequire, authority.file()); };

  Pair with(1, options(),
            client_with({.ca_file = authority.file(), .certificate_file = good.certificate, .key_file = good.key}));
  CHECK(outcome(with) == Code::kOk);
  CHECK(with.server.connection()->peer_certificate_name() == "alice");

  Pair without(1, options(), client_with({.ca_file = authority.file()}));
  CHECK(outcome(without) == Code::kUnauthenticated);
  CHECK(without.server.connections_seen() == 0);

  Pair wrong(1, options(),
             client_with({.ca_file = authority.file(), .certificate_file = bad.certificate, .key_file = bad.key}));
  CHECK(outcome(wrong) == Code::kUnauthenticated);
  CHECK(wrong.server.connections_seen() == 0);
}

TEST_CASE("where client certificates are only asked for, none is fine and a wrong one is not") {
  const ScratchDir dir;
  Authority authority(dir, "clients"), stranger(dir, "strangers");
  const Identity server = authority.issue("server"), bad = stranger.issue("mallory");
  Pair without(1, server_with(server, ClientAuth::kRequest, authority.file()),
               client_with({.ca_file = authority.file()}));
  CHECK(outcome(without) == Code::kOk);
  CHECK(without.server.connection()->peer_certificate_name().empty());
  Pair wrong(1, server_with(server, ClientAuth::kRequest, authority.file()),
             client_with({.ca_file = authority.file(), .certificate_file = bad.certificate, .key_file = bad.key}));
  CHECK(outcome(wrong) == Code::kUnauthenticated);
}

TEST_CASE("an expired certificate is refused when loading, and by clients") {
  const ScratchDir dir;
  Authority authority(dir);
  const Identity old = authority.issue("old", {.not_before_s = -5 * kDay, .not_after_s = -kDay});
  const TlsServerConfig config{.certificate_file = old.certificate, .key_file = old.key};
  CHECK(contains(refusal(config), "old.pem: expired at "));

  EndpointOptions careless = server_options();
  careless.tls_server = load_tls_server(config, real_unix_us() - 2 * kDay * 1'000'000).value();
  Pair pair(1, careless, client_with({.ca_file = authority.file()}));
  CHECK(outcome(pair) == Code::kCertificateUntrusted);
}

TEST_CASE("what cannot be served is refused when loading, with the file and the reason") {
  const ScratchDir dir;
  Authority authority(dir);
  const Identity one = authority.issue("one"), two = authority.issue("two");
  const Identity future = authority.issue("future", {.not_before_s = kDay, .not_after_s = 2 * kDay});
  std::ofstream(dir / "text.pem") << "not a certificate\n";
  std::ofstream(dir / "shuffled.pem") << std::ifstream(authority.file()).rdbuf()
                                      << std::ifstream(one.certificate).rdbuf();
  std::ofstream(dir / "chain.pem") << std::ifstream(one.certificate).rdbuf() << std::ifstream(authority.file()).rdbuf();

  CHECK(refusal({.certificate_file = one.certificate, .key_file = one.key}) == "loaded");
  CHECK(refusal({.certificate_file = dir / "chain.pem", .key_file = one.key}) == "loaded");
  CHECK(contains(refusal({.certificate_file = one.certificate, .key_file = two.key}),
                 "two.key: this key does not belong to"));
  CHECK(contains(refusal({.certificate_file = dir / "none.pem", .key_file = one.key}), "none.pem: No such file"));
  CHECK(
      contains(refusal({.certificate_file = one.certificate, .key_file = dir / "none.key"}), "none.key: No such file"));
  CHECK(contains(refusal({.certificate_file = dir / "text.pem", .key_file = one.key}), "text.pem: no certificate"));
  CHECK(contains(refusal({.certificate_file = one.certificate, .key_file = dir / "text.pem"}),
                 "text.pem: no usable private key"));
  CHECK(contains(refusal({.certificate_file = future.certificate, .key_file = future.key}),
                 "future.pem: not valid before "));
  CHECK(contains(refusal({.certificate_file = dir / "shuffled.pem", .key_file = one.key}),
                 "certificate 1 is not issued by"));
  CHECK(
      contains(refusal({.certificate_file = one.certificate, .key_file = one.key, .client_auth = ClientAuth::kRequire}),
               "no client CA file"));
  CHECK(contains(refusal({.certificate_file = one.certificate, .key_file = one.key, .alpn = {}}), "no ALPN"));
  CHECK_FALSE(load_tls_client({.ca_file = dir / "none.pem"}));
}

TEST_CASE("a new certificate serves new connections, and the old ones live") {
  const ScratchDir dir;
  Authority authority(dir);
  const TlsClientConfig trusting{.ca_file = authority.file()};
  Pair pair(1, server_with(authority.issue("first", {.common_name = "first"})), client_with(trusting));
  REQUIRE(outcome(pair) == Code::kOk);
  CHECK(pair.client.connection()->peer_certificate_name() == "first");

  const Identity second = authority.issue("second", {.common_name = "second"});
  pair.server.endpoint().reconfigure(
      {}, {},
      load_tls_server({.certificate_file = second.certificate, .key_file = second.key}, real_unix_us()).value());
  Host other(pair.network, "10.1.0.3:5000", client_with(trusting));
  other.connect(pair.server);
  REQUIRE(pair.network.run_until([&] { return other.seen().completed; }));
  CHECK(other.connection()->peer_certificate_name() == "second");
  CHECK_FALSE(pair.client.seen().closed);
}

TEST_CASE("a self-signed key can be read by nobody else") {
  const ScratchDir dir;
  REQUIRE(write_self_signed(dir / "c.pem", dir / "k.pem", real_unix_us()));
  struct stat status {};
  REQUIRE(stat((dir / "k.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(refusal({.certificate_file = dir / "c.pem", .key_file = dir / "k.pem"}) == "loaded");
  CHECK_FALSE(load_tls_server({.certificate_file = dir / "c.pem", .key_file = dir / "k.pem"},
                              real_unix_us() + 366 * kDay * 1'000'000));
  CHECK_FALSE(write_self_signed(dir / "nowhere/c.pem", dir / "nowhere/k.pem", real_unix_us()));
}

}  // namespace
}  // namespace godwit::quic::test

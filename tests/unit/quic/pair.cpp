#include "pair.h"

#include <catch2/catch.hpp>

#include <cstdlib>

namespace godwit::quic::test {

void Network::send(Packet packet) {
  ++packets_sent;
  if (filter && !filter(packet)) return;
  if (prng_.chance(rules.loss)) return;
  const int copies = prng_.chance(rules.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    Packet copy = packet;
    if (prng_.chance(rules.corrupt))
      copy.bytes[prng_.below(copy.bytes.size())] ^= static_cast<uint8_t>(prng_.between(1, 255));
    const Duration extra(static_cast<Duration::rep>(prng_.below(static_cast<uint64_t>(rules.jitter.count()) + 1)));
    flying_.emplace(clock_.now() + rules.delay + extra, std::move(copy));
  }
}

void Network::inject(Packet packet) { flying_.emplace(clock_.now(), std::move(packet)); }

uint64_t Network::bytes_to(const SocketAddress& to) const {
  for (const auto& [address, bytes] : bytes_to_) {
    if (address == to) return bytes;
  }
  return 0;
}

bool Network::run_until(const std::function<bool()>& done, Duration limit) {
  const Timestamp end = clock_.now() + limit;
  for (;;) {
    settle();
    if (done()) return true;
    const Timestamp next = next_event();
    if (next > end) {
      clock_.advance_to(end);
      return done();
    }
    clock_.advance_to(next);
    deliver_due();
    for (Host* host : hosts_) host->timers_.run(clock_.now());
  }
}

/// Lets every host write what it has to say now, as a loop does at the end of each turn.
void Network::settle() {
  bool busy = true;
  for (int turns = 0; busy && turns < 1000; ++turns) {
    busy = false;
    for (Host* host : hosts_) {
      if (!host->endpoint_->wants_flush() || (host->endpoint_->blocked() && host->sender_blocked)) continue;
      host->endpoint_->flush();
      host->endpoint_->reap();
      busy = true;
    }
  }
}

Timestamp Network::next_event() const {
  Timestamp next = flying_.empty() ? kNever : flying_.begin()->first;
  for (const Host* host : hosts_) next = std::min(next, host->timers_.next());
  return next;
}

void Network::deliver_due() {
  while (!flying_.empty() && flying_.begin()->first <= clock_.now()) {
    const Packet packet = std::move(flying_.begin()->second);
    flying_.erase(flying_.begin());
    for (Host* host : hosts_) {
      if (host->public_address == packet.to || host->also_at == packet.to) {
        host->receive(packet);
        break;
      }
    }
  }
}

Host::Host(Network& network, std::string_view at, EndpointOptions options)
    : public_address(test::address(at)), network_(network), address_(test::address(at)), entropy_(network.prng()()) {
  const EndpointWorld world{network.clock(), timers_, *this, entropy_, Log(quiet_, "quic"), metrics_};
  endpoint_ = make_endpoint(std::move(options), world, *this);
  network_.join(*this);
}

Host::~Host() { network_.leave(*this); }

SendOutcome Host::send(const OutgoingDatagrams& datagrams) {
  ++send_calls;
  if (sender_blocked) {
    ++blocked_sends;
    return SendOutcome::kBlocked;
  }
  REQUIRE(datagrams.segment_bytes > 0);
  for (Bytes rest = datagrams.payload; !rest.empty();) {
    const Bytes one = rest.first(std::min(rest.size(), datagrams.segment_bytes));
    rest = rest.subspan(one.size());
    bytes_sent += one.size();
    const SocketAddress from = also_at == datagrams.path.local ? *also_at : public_address;
    network_.send({from, datagrams.path.remote, datagrams.ecn, {one.begin(), one.end()}});
  }
  return SendOutcome::kSent;
}

void Host::receive(const Packet& packet) {
  bytes_received += packet.bytes.size();
  if (packet.bytes.empty()) return;
  const SocketAddress local = also_at == packet.to ? *also_at : address_;
  endpoint_->receive({{local, packet.from}, packet.ecn, packet.bytes, packet.bytes.size()});
}

ConnectionId Host::connect(const Host& server, const std::string& name) {
  const Result<ConnectionId> id = endpoint_->connect({address_, server.public_address}, name);
  REQUIRE(id);
  if (!first_) first_ = *id;
  return *id;
}

void Host::on_events(Connection& connection, std::span<const Event> events) {
  if (!first_) first_ = connection.id();
  Seen& seen = seen_[connection.id()];
  for (const Event& event : events) {
    if (seen.closed) ++seen.events_after_closed;
    if (on_event && on_event(connection, event)) continue;
    if (std::holds_alternative<HandshakeCompleted>(event))
      seen.completed = true;
    else if (const auto* readable = std::get_if<StreamReadable>(&event))
      read(connection, readable->stream);
    else if (const auto* reset = std::get_if<StreamReset>(&event))
      seen.resets[reset->stream] = reset->app_error;
    else if (std::holds_alternative<StreamClosed>(event))
      ++seen.streams_closed;
    else if (std::holds_alternative<StreamsAvailable>(event))
      ++seen.streams_available;
    else if (std::holds_alternative<PathChanged>(event))
      ++seen.paths_changed;
    else if (const auto* datagram = std::get_if<DatagramReceived>(&event))
      seen.datagrams.push_back(datagram->payload);
    else if (const auto* closed = std::get_if<Closed>(&event))
      seen.closed = *closed;
  }
}

void Host::read(Connection& connection, StreamId stream) {
  if (!reads) return;
  const Bytes bytes = connection.readable(stream);
  if (collects) {
    std::vector<uint8_t>& all = received[stream];
    all.insert(all.end(), bytes.begin(), bytes.end());
    if (connection.finished(stream)) ended[stream] = true;
  }
  connection.consume(stream, bytes.size());
}

ScratchDir::ScratchDir() {
  std::string name = (std::filesystem::temp_directory_path() / "godwit-quic-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()));
  path_ = name;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SocketAddress address(std::string_view text) {
  const Result<SocketAddress> parsed = SocketAddress::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

EndpointSecrets test_secrets() {
  EndpointSecrets secrets{};
  secrets.stateless_reset_key.fill(0x5a);
  secrets.token_key.fill(0xa5);
  return secrets;
}

namespace {

struct DefaultTls {
  DefaultTls() {
    const ScratchDir dir;
    const auto certificate = dir / "cert.pem", key = dir / "key.pem";
    REQUIRE(write_self_signed(certificate, key, static_cast<int64_t>(std::time(nullptr)) * 1'000'000));
    TlsServerConfig server_config;
    server_config.certificate_file = certificate;
    server_config.key_file = key;
    server = load_tls_server(server_config, static_cast<int64_t>(std::time(nullptr)) * 1'000'000).value();
    TlsClientConfig client_config;
    client_config.ca_file = certificate;
    client = load_tls_client(client_config).value();
  }
  std::shared_ptr<TlsServer> server;
  std::shared_ptr<TlsClient> client;
};

const DefaultTls& default_tls() {
  static const DefaultTls tls;
  return tls;
}

}  // namespace

std::shared_ptr<TlsServer> default_server_tls() { return default_tls().server; }
std::shared_ptr<TlsClient> default_client_tls() { return default_tls().client; }

EndpointOptions server_options() {
  EndpointOptions out;
  out.tls_server = default_server_tls();
  out.secrets = test_secrets();
  return out;
}

EndpointOptions client_options() {
  EndpointOptions out;
  out.tls_client = default_client_tls();
  return out;
}

Pair::Pair(uint64_t seed, EndpointOptions server_opts, EndpointOptions client_opts)
    : network(seed),
      server(network, "10.0.0.1:8453",
             server_opts.tls_server ? std::move(server_opts) : [&] {
               server_opts.tls_server = default_server_tls();
               server_opts.secrets = test_secrets();
               return server_opts;
             }()),
      client(network, "10.1.0.2:5000",
             client_opts.tls_client ? std::move(client_opts) : [&] {
               client_opts.tls_client = default_client_tls();
               return client_opts;
             }()) {}

bool Pair::handshake(Duration limit) {
  client.connect(server);
  return network.run_until(
      [&] { return client.seen().completed && server.connections_seen() > 0 && server.seen().completed; }, limit);
}

std::vector<uint8_t> pattern(size_t bytes, uint64_t seed) {
  std::vector<uint8_t> out(bytes);
  Prng(seed).fill(out);
  return out;
}

}  // namespace godwit::quic::test

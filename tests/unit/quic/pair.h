#pragma once

// Endpoints of the real code on a virtual clock, joined by a network that does what a test asks for.

#include <array>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "quic/endpoint.h"

namespace godwit::quic::test {

class VirtualClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return 1'700'000'000'000'000 + now_.time_since_epoch().count() / 1000; }
  void advance_to(Timestamp at) { now_ = std::max(now_, at); }

 private:
  Timestamp now_ = from_ns(1'000'000'000);
};

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed) : prng_(seed) {}
  void fill(MutableBytes out) override { prng_.fill(out); }

 private:
  Prng prng_;
};

class QuietLog final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// What the network does to each packet.
struct LinkRules {
  double loss = 0;
  double duplicate = 0;
  double corrupt = 0;
  Duration delay = 10ms;
  Duration jitter = 0ms;  ///< up to this is added, which also reorders
};

struct Packet {
  SocketAddress from;
  SocketAddress to;
  uint8_t ecn = 0;
  std::vector<uint8_t> bytes;
};

class Host;

class Network {
 public:
  explicit Network(uint64_t seed) : prng_(seed) {}

  LinkRules rules;
  /// Sees every packet before the rules; false drops it.
  std::function<bool(const Packet&)> filter;

  VirtualClock& clock() { return clock_; }
  Prng& prng() { return prng_; }
  void join(Host& host) { hosts_.push_back(&host); }
  void leave(Host& host) { std::erase(hosts_, &host); }

  void send(Packet packet);
  /// Puts a packet on the wire as it is.
  void inject(Packet packet);

  /// Runs until `done` or for `limit` of virtual time; true when done.
  bool run_until(const std::function<bool()>& done, Duration limit = 60s);
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }

  uint64_t bytes_to(const SocketAddress& to) const;
  uint64_t packets_sent = 0;

 private:
  void settle();
  Timestamp next_event() const;
  void deliver_due();

  VirtualClock clock_;
  Prng prng_;
  std::vector<Host*> hosts_;
  std::multimap<Timestamp, Packet> flying_;
  std::vector<std::pair<SocketAddress, uint64_t>> bytes_to_;
};

/// What an owner saw of one connection.
struct Seen {
  bool completed = false;
  int streams_closed = 0;
  int streams_available = 0;
  int paths_changed = 0;
  std::map<StreamId, uint64_t> resets;
  std::vector<std::vector<uint8_t>> datagrams;
  std::optional<Closed> closed;
  int events_after_closed = 0;
};

/// One endpoint with a socket's worth of surroundings. As an owner it keeps count, and collects what it reads unless
/// told otherwise.
class Host final : public DatagramSender, public ConnectionOwner {
 public:
  Host(Network& network, std::string_view address, EndpointOptions options);
  ~Host() override;

  SendOutcome send(const OutgoingDatagrams& datagrams) override;
  void on_events(Connection& connection, std::span<const Event> events) override;

  Endpoint& endpoint() { return *endpoint_; }
  TimerHeap& timers() { return timers_; }
  WorkerMetrics& metrics() { return metrics_; }
  const SocketAddress& address() const { return address_; }
  /// How the others see it: changes when a NAT forgets.
  SocketAddress public_address;

  ConnectionId connect(const Host& server, const std::string& name = "localhost");
  Connection* connection() { return endpoint_->get(first()); }
  Seen& seen() { return seen_[first()]; }
  Seen& seen(ConnectionId id) { return seen_[id]; }
  ConnectionId first() const { return first_; }
  size_t connections_seen() const { return seen_.size(); }

  /// Called for every event, before the default does its part; true = the default does nothing.
  std::function<bool(Connection&, const Event&)> on_event;
  std::map<StreamId, std::vector<uint8_t>> received;
  std::map<StreamId, bool> ended;
  bool reads = true;                     ///< consumes what comes
  bool collects = true;                  ///< … and keeps it
  std::optional<SocketAddress> also_at;  ///< a second address of its own
  bool sender_blocked = false;
  uint64_t blocked_sends = 0;
  uint64_t send_calls = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;

 private:
  friend class Network;
  void receive(const Packet& packet);
  void read(Connection& connection, StreamId stream);

  Network& network_;
  SocketAddress address_;
  SeededEntropy entropy_;
  QuietLog quiet_;
  TimerHeap timers_;
  WorkerMetrics metrics_;
  std::map<ConnectionId, Seen> seen_;
  ConnectionId first_{};
  std::unique_ptr<Endpoint> endpoint_;
};

/// A folder of its own for certificates; goes with the test.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

SocketAddress address(std::string_view text);
EndpointSecrets test_secrets();

/// TLS of a server with a self-signed certificate, and of a client that trusts it. Made once for all tests.
std::shared_ptr<TlsServer> default_server_tls();
std::shared_ptr<TlsClient> default_client_tls();

/// The usual two.
struct Pair {
  explicit Pair(uint64_t seed = 1, EndpointOptions server_options = {}, EndpointOptions client_options = {});

  bool handshake(Duration limit = 10s);

  Network network;
  Host server;
  Host client;
};

EndpointOptions server_options();
EndpointOptions client_options();

std::vector<uint8_t> pattern(size_t bytes, uint64_t seed);

}  // namespace godwit::quic::test

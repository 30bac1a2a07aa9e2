#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "port/clock.h"
#include "port/datagrams.h"
#include "port/entropy.h"
#include "quic/config.h"
#include "quic/connection.h"

namespace godwit::quic {

/// TLS settings loaded and checked once, shared by all workers (read-only after load). A failed load says which file
/// and why.
class TlsServer;
class TlsClient;
Result<std::shared_ptr<TlsServer>> load_tls_server(const TlsServerConfig& config, int64_t unix_us);
Result<std::shared_ptr<TlsClient>> load_tls_client(const TlsClientConfig& config);

/// Makes a self-signed P-256 certificate (SAN localhost, 127.0.0.1, ::1; one year) as PEM files, the key with mode
/// 0600.
Status write_self_signed(const std::filesystem::path& certificate_file, const std::filesystem::path& key_file,
                         int64_t unix_us);

/// Secrets shared by all workers of a server: keys for stateless reset and Retry tokens. From a CSPRNG at start.
struct EndpointSecrets {
  std::array<uint8_t, 32> stateless_reset_key;
  std::array<uint8_t, 32> token_key;
};

struct EndpointOptions {
  TransportConfig transport;
  AdmissionConfig admission;
  std::shared_ptr<TlsServer> tls_server;  ///< null: this endpoint accepts nothing
  std::shared_ptr<TlsClient> tls_client;  ///< null: this endpoint connects nowhere
  EndpointSecrets secrets{};
  uint32_t worker_index = 0;  ///< server-issued connection ids satisfy cid[0] % worker_count == worker_index
  uint32_t worker_count = 1;
};

struct EndpointWorld {
  const Clock& clock;
  TimerHeap& timers;
  DatagramSender& sender;
  Entropy& entropy;
  Log log;
  WorkerMetrics& metrics;
};

class EndpointCore;

/// One socket's worth of QUIC: finds the connection of a datagram, makes new ones, writes all dirty ones once per loop
/// turn. The turn is: receive(…) any number of times → the owner acts in on_events → flush(). Timers call in between.
class Endpoint {
 public:
  Endpoint(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// Takes datagrams in; delivers events to the owner before it returns.
  void receive(const ReceivedDatagrams& datagrams);

  /// Starts a client connection; HandshakeCompleted or Closed follows. `server_name` is for SNI and verification: a
  /// host name or an address. A path whose local host is unspecified matches whatever address datagrams arrive at.
  /// `first_byte`: of the first destination connection id, where the server told which of its workers shall have it.
  Result<ConnectionId> connect(const NetworkPath& path, const std::string& server_name,
                               std::optional<uint8_t> first_byte = std::nullopt);

  Connection* get(ConnectionId id);

  /// Writes what connections have to say, a bounded amount per connection. When the sender blocks, stops and keeps what
  /// was built; call again when it is writable.
  void flush();
  /// There is something to write now: flush again this turn or, when the sender blocked, once it is writable.
  bool wants_flush() const;
  /// The sender took nothing last time: only it can say when to flush again.
  bool blocked() const;

  /// Destroys what was closed and drained; call in the loop's check phase, outside any callback.
  void reap();

  /// Refuses new connections from here on (CONNECTION_REFUSED).
  void stop_accepting();
  /// New settings for connections made from now on; certificate reload included.
  void reconfigure(const TransportConfig& transport, const AdmissionConfig& admission, std::shared_ptr<TlsServer> tls);

  size_t connection_count() const;  ///< handshaking + open + closing
  size_t open_count() const;

  /// Moves a client connection to another local address (NAT rebinding is what the network does; this is what a client
  /// does on purpose). The path is validated before it is used.
  Status migrate(ConnectionId id, const NetworkPath& path);

 private:
  std::unique_ptr<EndpointCore> core_;
};

std::unique_ptr<Endpoint> make_endpoint(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner);

}  // namespace godwit::quic

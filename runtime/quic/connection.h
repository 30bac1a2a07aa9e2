#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "port/datagrams.h"

namespace godwit::quic {

using StreamId = int64_t;

inline constexpr bool is_bidi(StreamId id) { return (id & 2) == 0; }

class Connection;
using ConnectionId = Id<Connection>;

enum class Role : uint8_t { kClient, kServer };

/// The lowest bit says who opened a stream (RFC 9000, section 2.1).
inline constexpr Role opener_of(StreamId id) { return (id & 1) == 0 ? Role::kClient : Role::kServer; }

/// What happened, in order. Recorded while ngtcp2 runs, handed to the owner after it has returned.
struct HandshakeCompleted {};
/// New bytes, or the end, can be read: `readable`, `consume`, `finished`.
struct StreamReadable {
  StreamId stream;
};
/// The peer gave up sending (RESET_STREAM), or wants no more of what we send (STOP_SENDING): unread or unsent bytes are
/// gone.
struct StreamReset {
  StreamId stream;
  uint64_t app_error;
};
/// Both directions are over, everything was acknowledged or reset, and what arrived was consumed; the id is free. Sent
/// once per stream.
struct StreamClosed {
  StreamId stream;
};
/// Acknowledgements freed room in the send queue of this stream.
struct StreamDrained {
  StreamId stream;
  uint64_t queued_bytes;
};
/// The peer raised its limit: more streams may be opened.
struct StreamsAvailable {};
struct DatagramReceived {
  std::vector<uint8_t> payload;
};
struct PathChanged {
  NetworkPath path;
};
/// The connection is over for the owner: nothing follows, sends are ignored. `code` says why in our words, `app_error`
/// is set when the peer closed with an application code.
struct Closed {
  Code code;
  uint64_t app_error;
  std::string reason;
};
/// Why it ended, in our words: a peer that closes says it with a code of the common registry; one that this build does
/// not know stays PeerClosed.
inline Code reason_of(const Closed& closed) {
  const auto said = static_cast<Code>(closed.app_error);
  return closed.code == Code::kPeerClosed && closed.app_error <= UINT16_MAX && describe(said) ? said : closed.code;
}
using Event = std::variant<HandshakeCompleted, StreamReadable, StreamReset, StreamClosed, StreamDrained,
                           StreamsAvailable, DatagramReceived, PathChanged, Closed>;

/// Application error codes on the wire are our registry's numbers (base/error_codes.inc).
constexpr uint64_t to_app_error(Code code) { return static_cast<uint64_t>(code); }

struct ConnectionStats {
  Duration smoothed_rtt{};
  Duration min_rtt{};
  uint64_t congestion_window_bytes = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t packets_sent = 0;
  uint64_t packets_lost = 0;  ///< those with stream data
  uint64_t key_updates = 0;   ///< that we began
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
};

class Transport;

/// One QUIC connection, server's or client's. Owned by its Endpoint; the owner above holds the ConnectionId and asks
/// Endpoint::get. Everything here runs on the worker's thread. No call blocks or sends: writes queue, and the endpoint
/// flushes all connections that have something to say once per loop turn.
///
/// Two streams of each side go before all others, because they carry what must not wait behind bodies: the first
/// bidirectional stream of the client (control) and one's own first unidirectional stream (shared lane). The rest take
/// turns of 64 KiB, the one that waits longest first; a stream that the peer's flow control holds gives way.
class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionId id() const;
  Role role() const;
  bool handshake_completed() const;
  NetworkPath path() const;
  std::string_view alpn() const;
  /// Subject common name or first SAN of the verified peer certificate; empty when there is none.
  std::string peer_certificate_name() const;
  ConnectionStats stats() const;

  /// Opens a stream of ours. StreamLimit when the peer allows no more at present (StreamsAvailable follows).
  Result<StreamId> open_uni();
  Result<StreamId> open_bidi();

  enum class Fin : bool { kNo, kYes };
  /// Queues bytes on a stream; copies them into pooled blocks. Never refuses for flow control: the caller bounds itself
  /// by `queued_bytes`. Ignored on an unknown or finished stream (false).
  bool write(StreamId stream, Bytes bytes, Fin fin = Fin::kNo);
  /// The same without a copy for large bodies: the buffer lives until acknowledged.
  bool write_shared(StreamId stream, std::shared_ptr<const std::vector<uint8_t>> body, Fin fin = Fin::kNo);
  /// Bytes queued and not yet acknowledged.
  uint64_t queued_bytes(StreamId stream) const;
  /// Bytes over all streams that are queued and not yet acknowledged.
  uint64_t queued_bytes() const;

  /// What arrived in order and was not consumed; contiguous; valid until the next call on this stream or the next
  /// receive.
  Bytes readable(StreamId stream) const;
  /// Frees the front of `readable` and opens flow control for as many bytes: of the connection, so that other streams
  /// go on, and of the stream unless its credit is given by `allow` alone.
  enum class Credit : uint8_t { kStreamToo, kConnection };
  void consume(StreamId stream, size_t bytes, Credit credit = Credit::kStreamToo);
  /// Opens the flow control of this stream for so many bytes more.
  void allow(StreamId stream, uint64_t bytes);
  /// The peer finished the stream and everything before the end has arrived (it may not have been consumed yet).
  bool finished(StreamId stream) const;

  /// Stops both directions of a stream that we have (RESET_STREAM and STOP_SENDING with this code). Unread bytes are
  /// gone.
  void reset(StreamId stream, Code code);

  /// Queues an unreliable datagram (RFC 9221). MessageTooLarge when it cannot fit a packet or the peer takes none,
  /// QueueFull when too many wait.
  Status send_datagram(Bytes payload);

  /// Switches to new keys (RFC 9001, section 6), as soon as the last switch is confirmed.
  void update_keys();

  /// Says goodbye with an application code and closes, at once or after what is queued now was written and
  /// acknowledged: no longer than 30 s in all, and three probe timeouts after the last byte went out. The Closed event
  /// follows with that code.
  enum class CloseMode : bool { kAfterQueued, kAbort };
  void close(Code code, std::string_view reason, CloseMode mode = CloseMode::kAbort);

 private:
  friend class EndpointCore;
  explicit Connection(std::unique_ptr<Transport> transport);

  std::unique_ptr<Transport> transport_;
};

/// The owner of connections: a session adapter, or a test. Called after ngtcp2 has returned, never from inside it; may
/// call anything, closing the very connection included. A server's connections are shown only once their handshake is
/// complete: what fails before is counted and logged, and nobody hears of it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void on_events(Connection& connection, std::span<const Event> events) = 0;
};

}  // namespace godwit::quic

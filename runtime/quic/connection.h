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

/// What happened, in order. Recorded while ngtcp2 runs, handed to the owner after it has returned.
struct HandshakeCompleted {};
/// New bytes, or the end, can be read: `readable`, `consume`, `finished`.
struct StreamReadable {
  StreamId stream;
};
/// The peer gave up sending (RESET_STREAM); unread bytes are gone.
struct StreamReset {
  StreamId stream;
  uint64_t app_error;
};
/// Both directions are over and everything was acknowledged or reset; the id is free. Sent once per stream.
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
/// The connection is over for the owner: nothing follows, sends are ignored. `code` says why in our words, `app_error` is set when
/// the peer closed with an application code.
struct Closed {
  Code code;
  uint64_t app_error;
  std::string reason;
};
using Event = std::variant<HandshakeCompleted, StreamReadable, StreamReset, StreamClosed, StreamDrained, StreamsAvailable,
                           DatagramReceived, PathChanged, Closed>;

/// Application error codes on the wire are our registry's numbers (base/error_codes.inc).
constexpr uint64_t to_app_error(Code code) { return static_cast<uint64_t>(code); }

struct ConnectionStats {
  Duration smoothed_rtt{};
  Duration min_rtt{};
  uint64_t congestion_window_bytes = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t packets_lost = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
};

/// One QUIC connection, server's or client's. Owned by its Endpoint; the owner above holds the ConnectionId and asks
/// Endpoint::get. Everything here runs on the worker's thread. No call blocks or sends: writes queue, and the endpoint flushes all
/// connections that have something to say once per loop turn.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual ConnectionId id() const = 0;
  virtual Role role() const = 0;
  virtual bool handshake_completed() const = 0;
  virtual NetworkPath path() const = 0;
  virtual std::string_view alpn() const = 0;
  /// Subject common name or first SAN of the verified peer certificate; empty when there is none.
  virtual std::string peer_certificate_name() const = 0;
  virtual ConnectionStats stats() const = 0;

  /// Opens a stream of ours. StreamLimit when the peer allows no more at present (StreamsAvailable follows).
  virtual Result<StreamId> open_uni() = 0;
  virtual Result<StreamId> open_bidi() = 0;

  enum class Fin : bool { kNo, kYes };
  /// Queues bytes on a stream; copies them into pooled blocks. Never refuses for flow control: the caller bounds itself by
  /// `queued_bytes`. Ignored on an unknown or finished stream (false).
  virtual bool write(StreamId stream, Bytes bytes, Fin fin = Fin::kNo) = 0;
  /// The same without a copy for large bodies: the buffer lives until acknowledged.
  virtual bool write_shared(StreamId stream, std::shared_ptr<const std::vector<uint8_t>> body, Fin fin = Fin::kNo) = 0;
  /// Bytes queued and not yet acknowledged.
  virtual uint64_t queued_bytes(StreamId stream) const = 0;
  /// Bytes over all streams that are queued and not yet acknowledged.
  virtual uint64_t queued_bytes() const = 0;

  /// What arrived in order and was not consumed; contiguous; valid until the next call on this stream or the next receive.
  virtual Bytes readable(StreamId stream) const = 0;
  /// Frees the front of `readable` and opens flow control for as many bytes.
  virtual void consume(StreamId stream, size_t bytes) = 0;
  /// The peer finished the stream and everything before the end has arrived (it may not have been consumed yet).
  virtual bool finished(StreamId stream) const = 0;

  /// Stops both directions of a stream that we have (RESET_STREAM and STOP_SENDING with this code).
  virtual void reset(StreamId stream, Code code) = 0;

  /// Queues an unreliable datagram (RFC 9221). MessageTooLarge when it cannot fit a packet.
  virtual Status send_datagram(Bytes payload) = 0;

  /// Says goodbye with an application code once what is queued now has been written to packets (or at once with kAbort), then
  /// closes. The Closed event follows with that code.
  enum class CloseMode : bool { kAfterQueued, kAbort };
  virtual void close(Code code, std::string_view reason, CloseMode mode = CloseMode::kAbort) = 0;
};

/// The owner of connections: a session adapter, or a test. Called after ngtcp2 has returned, never from inside it; may call
/// anything, closing the very connection included.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void on_events(Connection& connection, std::span<const Event> events) = 0;
};

}  // namespace godwit::quic

#pragma once

#include <ngtcp2/ngtcp2.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/timer_heap.h"
#include "quic/admission.h"
#include "quic/cid.h"
#include "quic/connection.h"
#include "quic/datagram_queue.h"
#include "quic/endpoint_shared.h"
#include "quic/pacer.h"
#include "quic/qlog_file.h"
#include "quic/send_schedule.h"
#include "quic/stream_table.h"
#include "quic/tls_session.h"
#include "quic/token_bucket.h"

namespace godwit::quic {

/// What a server knows of a connection from its first packet.
struct Arrival {
  uint32_t version;
  Cid client_scid;
  Cid client_dcid;
  std::optional<Cid> before_retry;  ///< the first destination id, when a Retry token proved the address
  Bytes token;
  NetworkPath path;
  Timestamp now;
  Admission::HalfOpen half_open;
};

enum class StreamKind : uint8_t { kBidi, kUni };

/// The engine under one Connection: ngtcp2, TLS, streams, timers, and the way it ends. ngtcp2's callbacks only record;
/// nothing in here calls the owner.
class Transport {
 public:
  Transport(EndpointShared& shared, ConnectionId id, Role role);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  Status accept(Arrival arrival);
  Status connect(const NetworkPath& path, const std::string& server_name, std::optional<uint8_t> first_byte,
                 Timestamp now);

  // --- driven by the endpoint -------------------------------------------------------------------------------------

  void read(const NetworkPath& path, uint8_t ecn, Bytes packet, Timestamp now);
  /// After all packets of a receive call.
  void after_read();
  /// Writes at most a few sends' worth; stays dirty when there is more to write at once.
  void flush(Timestamp now);
  Status migrate(const NetworkPath& path, Timestamp now);
  bool has_events() const { return !events_.empty(); }
  /// Hands out what was recorded; the caller gives the vector back through `delivered`.
  std::vector<Event> take_events();
  /// The owner has seen them: streams that were told closed go.
  void delivered(std::vector<Event>&& events);
  bool dead() const { return std::holds_alternative<Dead>(life_); }
  bool shown_to_owner() const { return role_ == Role::kClient || handshake_completed_; }
  /// The path a client's packet came in on, with the local host it was told to use.
  NetworkPath as_known(const NetworkPath& path) const;

  // --- Connection's calls -----------------------------------------------------------------------------------------

  ConnectionId id() const { return id_; }
  Role role() const { return role_; }
  bool handshake_completed() const { return handshake_completed_; }
  NetworkPath path() const { return path_; }
  const TlsSession& tls() const { return *tls_; }
  ConnectionStats stats() const;
  Result<StreamId> open(StreamKind kind);
  bool write(StreamId stream, Bytes bytes, Connection::Fin fin);
  bool write_shared(StreamId stream, std::shared_ptr<const std::vector<uint8_t>> body, Connection::Fin fin);
  uint64_t queued_bytes(StreamId stream) const;
  uint64_t queued_bytes() const { return queued_bytes_; }
  Bytes readable(StreamId stream) const;
  void consume(StreamId stream, size_t bytes, Connection::Credit credit);
  void allow(StreamId stream, uint64_t bytes);
  bool finished(StreamId stream) const;
  void reset(StreamId stream, Code code);
  Status send_datagram(Bytes payload);
  void update_keys();
  void close(Code code, std::string_view reason, Connection::CloseMode mode);

  /// Streams that a peer may open and reset in a second before that counts as an attack (after HTTP/2's rapid reset).
  static constexpr uint64_t kPeerResetsPerS = 1000;

 private:
  friend struct TransportCallbacks;

  // How a connection ends (RFC 9000, section 10). `until` is three probe timeouts away.
  struct Open {};
  struct Closing {
    std::vector<uint8_t> packet;  ///< CONNECTION_CLOSE, said again to a peer that goes on talking
    NetworkPath path;
    Timestamp until;
    uint64_t heard = 0;      ///< packets since
    uint64_t answer_at = 1;  ///< … and the count at which to answer: 1, 2, 4, 8
    bool due = true;
  };
  struct Draining {
    Timestamp until;
  };
  struct Dead {};

  /// Which gauge counts the connection.
  enum class Stage : uint8_t { kNone, kHandshaking, kOpen, kDraining };

  /// A goodbye that waits for what was queued before it, and for how long at most.
  struct Leaving {
    Code code;
    std::string reason;
    Timestamp until;
  };

  struct FreeConnection {
    void operator()(ngtcp2_conn* connection) const { ngtcp2_conn_del(connection); }
  };

  // set-up
  ngtcp2_settings settings(Timestamp now) const;
  void begin_qlog(const Cid& original_dcid, ngtcp2_settings& settings);
  ngtcp2_transport_params transport_params() const;
  void adopt(ngtcp2_conn* connection, std::unique_ptr<TlsSession> tls, Timestamp now);
  void enter(Stage stage);
  bool is_open() const { return std::holds_alternative<Open>(life_); }

  // events and attention
  void record(Event event);
  void mark_dirty();
  void mark_eventful();

  // callbacks, see transport_callbacks.cpp
  void on_handshake_completed();
  void on_stream_open(StreamId id);
  void on_stream_data(Stream& stream, Bytes bytes, bool fin);
  void on_stream_acked(Stream& stream, uint64_t offset);
  void on_stream_reset(Stream& stream, uint64_t app_error);
  void on_stream_over(Stream& stream, uint64_t app_error);
  void on_stream_window(Stream& stream);
  void on_streams_available(StreamKind kind);
  void on_peer_reset();
  void on_datagram(Bytes payload);
  void issue_cid(ngtcp2_cid& cid, uint8_t* token, size_t bytes);
  void retire_cid(const ngtcp2_cid& cid);
  void register_cid(const Cid& cid);
  void register_reset_token(const Cid& token);
  void retire_reset_token(const Cid& token);
  void forget_cids();

  // writing, see transport_writer.cpp
  enum class Fill : uint8_t { kIdle, kMore, kFailed };
  bool write_some(Timestamp now);
  void update_pacer(Timestamp now);
  Fill fill(Timestamp now);
  ngtcp2_ssize write_packet(MutableBytes room, ngtcp2_path_storage& path, ngtcp2_pkt_info& info, Timestamp now);
  ngtcp2_ssize write_datagram(MutableBytes room, ngtcp2_path_storage& path, ngtcp2_pkt_info& info, Timestamp now);
  ngtcp2_ssize write_stream(Stream* stream, MutableBytes room, ngtcp2_path_storage& path, ngtcp2_pkt_info& info,
                            Timestamp now);
  void stream_wrote(Stream& stream, size_t bytes, bool end);
  void stream_blocked(Stream& stream);
  void rearm(Timestamp now);

  // streams, see transport_streams.cpp
  Stream* writable(StreamId id) const;
  void after_write(Stream& stream, Connection::Fin fin);
  void allow(const Stream& stream, uint64_t bytes);
  void return_credit(size_t bytes);
  void told_to_stop(Stream& stream, uint64_t app_error);
  void stop_sending_of(Stream& stream);
  void drop_unread(Stream& stream);
  void tell_closed(Stream& stream);

  // the end, see transport_ending.cpp
  void on_timer(Timestamp now);
  void linger(Timestamp until, Timestamp now);
  void fail_read(int error, Timestamp now);
  void fail_local(int error, Timestamp now);
  Closed closed_by_peer() const;
  Closed closed_by_tls() const;
  void leave_when_done(Timestamp now);
  uint64_t unsent_bytes() const;
  void abort(Code code, std::string_view reason, Timestamp now);
  void say_application_goodbye(Timestamp now);
  void say_goodbye(const ngtcp2_connection_close_error& wire, Closed closed, Timestamp now);
  void repeat_goodbye(const Closing& closing);
  void drain(Closed closed, Timestamp now);
  void die(Closed closed);
  void end_for_owner(Closed closed);
  void count_end(const Closed& closed);
  void release_transport();

  EndpointShared& shared_;
  const ConnectionId id_;
  const Role role_;
  std::unique_ptr<QlogFile> qlog_;  // ngtcp2 writes to it to its very end
  std::unique_ptr<ngtcp2_conn, FreeConnection> connection_;
  std::unique_ptr<TlsSession> tls_;
  NetworkPath path_;
  bool any_local_host_ = false;
  Admission::HalfOpen half_open_;
  std::vector<Cid> cids_;
  std::vector<Cid> reset_tokens_;
  StreamTable streams_;
  SendSchedule schedule_;
  bool connection_window_full_ = false;
  bool in_flight_full_ = false;
  uint64_t queued_bytes_ = 0;
  DatagramQueue datagrams_;
  Pacer pacer_;
  TokenBucket peer_resets_{kPeerResetsPerS};
  Timer timer_;
  std::variant<Open, Closing, Draining, Dead> life_;
  std::optional<Leaving> leaving_;
  std::vector<Event> events_;
  std::vector<Event> spare_events_;  ///< memory of the batch before
  Timestamp created_{};
  uint64_t packets_lost_ = 0;  ///< of streams that are over
  uint64_t key_updates_ = 0;
  uint64_t packets_sent_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  bool handshake_completed_ = false;
  bool heard_ = false;  ///< a packet of the peer made sense
  bool stateless_reset_ = false;
  bool abusive_ = false;
  bool refused_[2] = {};       ///< by StreamKind: the owner waits for StreamsAvailable
  bool keys_expired_ = false;  ///< the owner asked for new ones
  bool ended_ = false;         ///< Closed was recorded
  bool dirty_ = false;
  bool eventful_ = false;
  Stage stage_ = Stage::kNone;
};

}  // namespace godwit::quic

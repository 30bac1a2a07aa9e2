#pragma once

#include <tsl/robin_map.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "client/lane_choice.h"
#include "client/own_streams.h"
#include "port/clock.h"
#include "quic/connection.h"
#include "session/config.h"
#include "session/session.h"
#include "wire/codec.h"

namespace godwit::client {

/// Joins one QUIC connection to one session: opens and recognises the streams of `godwit/1`, cuts frames, decodes them,
/// keeps the heartbeat. Used by both sides. Before `go_live` only the greeting passes.
class Channel final : public session::Link {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// A greeting frame: Hello on a server; Welcome or Refuse on a client. Called before `go_live` only.
    virtual void on_greeting(Channel& channel, const wire::Frame& frame) = 0;
    virtual void on_goodbye(Channel& channel, const wire::Goodbye& goodbye) = 0;
    /// Client: a newer proof for the session.
    virtual void on_renewal(Channel&, const wire::Renewal&) {}
    /// The first word of the peer after the greeting: it has read it.
    virtual void on_confirmed(Channel&) {}
  };
  struct World {
    const Clock& clock;
    TimerHeap& timers;
    wire::Codec& codec;
    Log log;
    WorkerMetrics& metrics;
    transfer::Planner& planner;
    Owner& owner;
  };

  Channel(quic::Connection& connection, const session::SessionConfig& config, World world);
  ~Channel() override;

  quic::Connection& connection() { return connection_; }

  /// Client: opens the control stream with this greeting. Server: does nothing until Hello comes.
  Status greet(const wire::Hello& hello);
  /// Queues a control frame made by the codec.
  void send_control(Bytes frame);

  /// The greeting succeeded: opens our shared lane and lets messages through. `heartbeat` is the interval that the
  /// server announced; 0 = none. A session that is resumed brings what the peer said of it. `features`: those that both
  /// sides have.
  Status go_live(session::Session& session, Duration heartbeat, uint64_t features,
                 const std::optional<session::Resync>& resync);
  /// Reads what overtook the greeting on other streams, once its owner is ready for messages.
  void read_early();
  bool live() const { return session_ != nullptr; }
  /// The connection is over, or has lost its session to another one: nothing is read or sent any more.
  void detach();

  /// Events of the connection, as they come. HandshakeCompleted and Closed are the owner's.
  void on_event(const quic::Event& event);

  /// Reads no more, and closes once what is queued was delivered: a refusal, a last reply.
  void finish(Code code, std::string_view text);

  /// The peer sent what cannot be read. It hears our words; what a library said of it goes to the log.
  void close(const Error& error);

  // session::Link
  Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody& shared) override;
  void send_ack(const wire::Ack& ack) override;
  void send_cancel(uint64_t message_id) override;
  uint64_t undelivered() const override { return connection_.queued_bytes(); }
  void close(Code code, std::string_view text) override;

 private:
  /// What is known of a stream that the peer opened.
  struct Inbound {
    std::optional<wire::StreamType> type;
    bool over = false;  ///< its message was handed on, or it was refused: nothing of it is looked at any more
  };
  struct WaitingMessage {
    std::vector<uint8_t> head;
    session::SharedBody body;
  };

  void on_readable(quic::StreamId stream);
  void on_reset(quic::StreamId stream);
  void confirm();
  void read(quic::StreamId stream, Inbound& inbound);
  bool may_carry_message(quic::StreamId stream) const;
  bool accept_type(quic::StreamId stream, Inbound& inbound);
  void read_frames(quic::StreamId stream, wire::StreamType type);
  bool on_control(const wire::Frame& frame);
  bool on_live_control(const wire::Frame& frame);
  bool malformed(const Error& error);
  bool on_shared(const wire::Frame& frame);
  void on_own(quic::StreamId stream, Inbound& inbound, OwnStreams::Progress progress);
  void on_broken(quic::StreamId stream, const OwnStreams::Broken& broken);
  void refuse_stream(quic::StreamId stream, Code code, std::string_view text);
  Status send_datagram(const wire::Envelope& envelope, Bytes body);
  void on_datagram(Bytes payload);
  void send_own(Bytes head, Bytes body, const session::SharedBody& shared);
  bool try_send_own(Bytes head, Bytes body, const session::SharedBody& shared);
  void send_waiting();
  void end(Code code, std::string_view text, quic::Connection::CloseMode mode);
  void arm_heartbeat(Timestamp ping);
  void on_heartbeat(Timestamp now);

  quic::Connection& connection_;
  const session::SessionConfig& config_;
  World world_;
  session::Session* session_ = nullptr;
  bool closed_ = false;
  quic::StreamId control_ = -1;
  quic::StreamId shared_out_ = -1;
  quic::StreamId shared_in_ = -1;
  tsl::robin_map<quic::StreamId, Inbound> inbound_;  ///< until the stream is closed in both directions
  OwnStreams own_streams_;
  LaneChoice lanes_;
  std::deque<WaitingMessage> waiting_;  ///< own messages for which the peer allows no stream yet; bounded by the outbox
  std::vector<uint8_t> datagram_;       ///< being put together
  Duration heartbeat_{};
  uint64_t features_ = 0;
  bool confirmed_ = false;
  Timestamp last_heard_{};
  Timer heartbeat_timer_;
};

}  // namespace godwit::client

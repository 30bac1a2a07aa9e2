#pragma once

#include <tsl/robin_map.h>

#include <memory>
#include <string>
#include <vector>

#include "app/dispatcher.h"
#include "app/session_table.h"
#include "client/channel.h"
#include "quic/endpoint.h"
#include "session/identity.h"
#include "session/resume_tokens.h"
#include "session/revocations.h"
#include "wire/codec.h"

namespace godwit::app {

struct ServerCoreConfig {
  session::SessionConfig session;
  DispatcherConfig dispatcher;
  wire::CodecLimits codec;
  size_t promises_max = 50'000;
  double promises_warn_ratio = 0.8;
};

/// A whole server but for the socket, the clock and the scripts, which are arguments: the same code runs under a libuv
/// loop and inside the simulator. One per worker. The turn is: receive … → end_turn → reap.
class ServerCore final : private quic::ConnectionOwner,
                         private client::Channel::Owner,
                         private session::Session::Owner,
                         private Dispatcher::Sessions,
                         private WorkerServices::Sessions {
 public:
  struct World {
    const Clock& clock;
    TimerHeap& timers;
    DatagramSender& sender;
    Entropy& entropy;
    Log log;
    WorkerMetrics& metrics;
    SharedCap& sessions;
    session::Authenticator& authenticator;
    Sealer& sealer;  ///< of the tokens that sessions are resumed with; shared by the workers
    Dispatcher::Handlers& handlers;
    WorkerServices& services;  ///< hears of the sessions, and reaches them
    transfer::Planner& planner;
    host::SessionListener* listener = nullptr;
    DurableBook* durable = nullptr;  ///< null: no session outlives the process
  };

  ServerCore(const ServerCoreConfig& config, quic::EndpointOptions options, World world);
  ~ServerCore() override;

  void receive(const ReceivedDatagrams& datagrams) { endpoint_->receive(datagrams); }

  /// Runs handlers, acknowledges, and writes all connections that have something to say. True when handlers had to
  /// leave messages queued and want another turn soon.
  bool end_turn();
  /// Destroys what ended; never inside a callback.
  void reap();

  /// New bounds and times, for new sessions or at once; what sized memory at the start (codec, promises) stays.
  void reconfigure(const ServerCoreConfig& config);

  /// Those whose credentials are no longer good end, in good order.
  void end_revoked(const session::Revocations& revocations);

  /// Before anybody connects: a session of the process before this one.
  void restore(DurableBook::Restored restored) { sessions_.restore(std::move(restored)); }

  /// Takes no new connections and requests, and tells the clients. What is in flight is still answered.
  void drain();
  /// Everything that handlers had in hand was answered.
  bool idle() const { return dispatcher_.queued() == 0 && dispatcher_.in_flight() == 0; }
  /// Says goodbye on every connection; with kAfterQueued once the peers have acknowledged what is queued for them.
  void close_all(Code code, std::string_view reason, quic::Connection::CloseMode mode);
  size_t peer_count() const { return peers_.size(); }

  quic::Endpoint& endpoint() { return *endpoint_; }
  const SessionTable& sessions() const { return sessions_; }
  size_t session_count() const { return sessions_.size(); }
  session::Session* find_session(session::SessionId id) override { return sessions_.session(id); }

 private:
  /// How often it is looked whether the keys of tokens have changed, and whose credentials have expired.
  static constexpr Duration kRenewalCheck = 60s;
  /// When to come back, as the registry advises. 0: it does not say.
  static uint32_t retry_after_ms(Code code);

  /// What a client wants back that had a session before.
  struct Claim {
    std::string token;
    session::Resync resync;
  };
  /// One connection: its channel, and after the greeting the session that it speaks for.
  struct Peer {
    Peer(ServerCore& core, quic::Connection& connection);
    client::Channel channel;
    Timer greeting_timer;
    /// kAsked: somebody is deciding whether it may come in.
    enum class Greeting : uint8_t { kAwaited, kAsked, kDecided } greeting = Greeting::kAwaited;
    uint64_t features = 0;  ///< that both sides have
    std::optional<Claim> claim;
    session::Attempt attempt;
    session::SessionId session;
    std::string address;
    uint32_t token_generation = 0;  ///< of the keys that sealed its resume token
  };

  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  void on_greeting(client::Channel& channel, const wire::Frame& frame) override;
  void on_goodbye(client::Channel& channel, const wire::Goodbye& goodbye) override;
  void on_message(session::Session& session, session::Incoming message) override;
  bool on_cancel(session::Session& session, uint64_t message_id) override {
    return dispatcher_.cancel(session, message_id);
  }
  void on_sent(session::Session& session, const wire::Envelope& envelope, Code code) override {
    using What = host::SessionEvent::What;
    if (sessions_.told(What::kSent))
      sessions_.tell_message(What::kSent, session.id(), code, envelope.action, envelope.message_id());
  }
  void on_broadcast(std::string_view group, std::string_view action, size_t sessions) override;
  WorkerMetrics& counts() override { return world_.metrics; }
  void on_turn_wanted(session::Session& session) override { sessions_.want_turn(session.id()); }
  void on_confirmed(client::Channel& channel) override;
  const host::SessionView* view_session(session::SessionId id) override { return sessions_.view(id); }
  Result<host::SessionStats> session_stats(session::SessionId id) override;
  Status close_session(session::SessionId id, Code code, std::string_view text) override;
  void supersede_session(session::SessionId id) override;
  std::optional<DurableBook::Owner> durable_owner(session::SessionId id) override;
  const session::SessionConfig& session_config() const override { return config_.session; }

  Peer* find_peer(quic::ConnectionId id);
  Peer* find_peer(session::SessionId id);
  void ask_who(Peer& peer, const wire::Hello& hello);
  void on_decided(quic::ConnectionId id, Result<session::Identity> identity);
  void on_greeting_late(Peer& peer);
  Status enter(Peer& peer, session::Identity identity);
  Status enter_anew(Peer& peer, session::Identity identity, Code lost);
  Status check_claim(const Resident& resident, const session::ResumeProof& proof, const Peer& peer,
                     const session::Identity& identity);
  void take_up(Peer& peer, Resident& resident);
  void take_up_restored(Peer& peer, Resident& resident);
  Status check_overtaken(const session::ResumeProof& proof, const Peer& peer, const session::Identity& identity);
  Resident* find_claimed(const session::ResumeProof& proof, const session::Identity& identity);
  void end_session(session::SessionId id, Code code, std::string_view text);
  void leave(Resident& resident, Code reason, std::string_view text);
  /// `theirs`: what the client has of a session that goes on; nullopt for a new one.
  void welcome(Peer& peer, Resident& resident, const std::optional<session::Resync>& resumed, Code lost);
  void refuse(Peer& peer, const Error& error);
  void steer(Peer& peer, uint8_t worker);
  void turn_away(Peer& peer, const wire::Refuse& refuse);
  uint64_t body_bytes_max(const Resident& resident) const;
  std::string make_token(Peer& peer, const Resident& resident);
  void renew_tokens();
  void end_expired();
  void withdraw(session::SessionId id, std::string_view why);
  void end_peer(quic::ConnectionId id, const quic::Closed& closed);
  void close_wanted();

  ServerCoreConfig config_;
  World world_;
  Log log_;
  wire::Codec codec_;
  session::ResumeTokens tokens_;
  const uint8_t worker_;
  const uint32_t worker_count_;
  Dispatcher dispatcher_;
  SessionTable sessions_;
  std::unique_ptr<quic::Endpoint> endpoint_;
  tsl::robin_map<quic::ConnectionId, std::unique_ptr<Peer>> peers_;
  tsl::robin_map<session::SessionId, quic::ConnectionId> connections_;  ///< of sessions that have one
  std::vector<std::unique_ptr<Peer>> doomed_peers_;
  /// Sessions that handlers closed: they go at the end of the turn, behind what the same handlers sent.
  struct Closing {
    session::SessionId session;
    Code code;
    std::string text;
  };
  std::vector<Closing> close_wanted_;
  Timer renewal_timer_;
};

}  // namespace godwit::app

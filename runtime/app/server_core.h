#pragma once

#include <tsl/robin_map.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "app/dispatcher.h"
#include "app/worker_services.h"
#include "base/slot_map.h"
#include "client/channel.h"
#include "host/session_event.h"
#include "quic/endpoint.h"
#include "session/identity.h"
#include "session/promise_table.h"
#include "session/session.h"
#include "wire/codec.h"

namespace godwit::app {

/// A bound that several workers share and that is kept exactly.
class SharedCap {
 public:
  explicit SharedCap(size_t bound) : bound_(bound) {}
  /// Those who are in stay in.
  void set_bound(size_t bound) { bound_.store(bound, std::memory_order_relaxed); }
  bool try_acquire() {
    size_t used = used_.load(std::memory_order_relaxed);
    while (used < bound_.load(std::memory_order_relaxed)) {
      if (used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void release() { used_.fetch_sub(1, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::atomic<size_t> bound_;
  std::atomic<size_t> used_{0};
};

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
                         private session::PromiseTable::Owner,
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
    Dispatcher::Handlers& handlers;
    WorkerServices& services;  ///< hears of the sessions, and reaches them
    transfer::Planner& planner;
    host::SessionListener* listener = nullptr;
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

  /// Takes no new connections and requests, and tells the clients. What is in flight is still answered.
  void drain();
  /// Everything that handlers had in hand was answered.
  bool idle() const { return dispatcher_.queued() == 0 && dispatcher_.in_flight() == 0; }
  /// Says goodbye on every connection; with kAfterQueued once the peers have acknowledged what is queued for them.
  void close_all(Code code, std::string_view reason, quic::Connection::CloseMode mode);
  size_t peer_count() const { return peers_.size(); }

  quic::Endpoint& endpoint() { return *endpoint_; }
  size_t session_count() const { return sessions_.size(); }

 private:
  /// One connection: its channel, and after the greeting its session.
  struct Peer {
    Peer(ServerCore& core, quic::Connection& connection);
    client::Channel channel;
    Timer greeting_timer;
    /// kAsked: somebody is deciding whether it may come in.
    enum class Greeting : uint8_t { kAwaited, kAsked, kDecided } greeting = Greeting::kAwaited;
    session::SessionId session;
    session::Identity identity;
    std::string address;
    host::SessionView view;
  };

  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  void on_greeting(client::Channel& channel, const wire::Frame& frame) override;
  void on_goodbye(client::Channel& channel, const wire::Goodbye& goodbye) override;
  void on_message(session::Session& session, session::Incoming message) override;
  void on_turn_wanted(session::Session& session) override;
  void on_promise_expired(const session::Promise& promise) override;
  void on_promises_high(size_t in_use, size_t bound) override;
  session::Session* find_session(session::SessionId id) override { return sessions_.get(id); }
  const host::SessionView* view_session(session::SessionId id) override;
  Result<host::SessionStats> session_stats(session::SessionId id) override;
  Status close_session(session::SessionId id, Code code, std::string_view text) override;
  const session::SessionConfig& session_config() const override { return config_.session; }

  Peer* find_peer(quic::ConnectionId id);
  Peer* find_peer(session::SessionId id);
  void ask_who(Peer& peer, const wire::Hello& hello);
  void on_decided(quic::ConnectionId id, Result<session::Identity> identity);
  void on_greeting_late(Peer& peer);
  Status enter(Peer& peer, session::Identity identity);
  Status furnish(const Peer& peer);
  void forget_session(const Peer& peer);
  void welcome(Peer& peer);
  void refuse(Peer& peer, const Error& error);
  void tell(host::SessionEvent::What what, const Peer& peer, Code code, std::string_view reason);
  void end_peer(quic::ConnectionId id, const quic::Closed& closed);
  void close_wanted();

  ServerCoreConfig config_;
  World world_;
  Log log_;
  wire::Codec codec_;
  session::PromiseTable promises_;
  Dispatcher dispatcher_;
  SlotMap<session::Session> sessions_;  ///< numbered as the worker is: their ids are unique in the process
  std::unique_ptr<quic::Endpoint> endpoint_;
  tsl::robin_map<quic::ConnectionId, std::unique_ptr<Peer>> peers_;
  tsl::robin_map<session::SessionId, quic::ConnectionId> connections_;  ///< of live sessions
  std::vector<std::unique_ptr<Peer>> doomed_peers_;
  std::vector<session::SessionId> turn_wanted_;
  /// Sessions that handlers closed: they go at the end of the turn, behind what the same handlers sent.
  struct Closing {
    session::SessionId session;
    Code code;
    std::string text;
  };
  std::vector<Closing> close_wanted_;
  bool told_ = false;  ///< handlers have something to hear
};

}  // namespace godwit::app

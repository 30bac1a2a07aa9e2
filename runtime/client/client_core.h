#pragma once

#include <tsl/robin_map.h>

#include <memory>
#include <string>
#include <vector>

#include "base/slot_map.h"
#include "client/channel.h"
#include "client/recent_events.h"
#include "quic/endpoint.h"
#include "session/promise_table.h"
#include "session/session.h"
#include "wire/codec.h"

namespace godwit::client {

class Peer;
using PeerId = Id<Peer>;

struct ClientCoreConfig {
  session::SessionConfig session;
  wire::CodecLimits codec;
  size_t promises_max = 50'000;
  /// Sessions outlive the loss of their connection, where the server agrees: `connect` takes them up again, or
  /// `give_up` ends them.
  bool keep_sessions = false;
};

/// Who the client says it is.
struct Credentials {
  std::string client_id;
  std::string uid;
  std::string token;
};

/// How a client came in.
struct Entry {
  /// kLost: a session was to be resumed, and this is a new one.
  enum class Kind : uint8_t { kNew, kResumed, kLost } kind = Kind::kNew;
  Code lost = Code::kOk;     ///< why
  Duration resume_window{};  ///< that the server keeps the session for without a connection; 0: it does not
};

/// Any number of client connections but for the socket and the clock, which are arguments: the same code runs in the
/// command, in the library's thread and inside the simulator. The turn is: receive … → end_turn → reap.
class ClientCore final : private quic::ConnectionOwner,
                         private Channel::Owner,
                         private session::Session::Owner,
                         private session::PromiseTable::Owner {
 public:
  /// Each peer hears `on_connected` at most once, and `on_disconnected` exactly once, after which its id is stale.
  class Events {
   public:
    virtual ~Events() = default;
    /// The server was reached and proved who it is; it will be greeted next. False: it is not wanted any more.
    virtual bool on_reached(PeerId) { return true; }
    virtual void on_connected(PeerId peer, const Entry& entry) = 0;
    /// `kept`: the session that waits to be resumed. It names nothing when there is none.
    virtual void on_disconnected(PeerId peer, const Error& why, session::SessionId kept) = 0;
    /// The server sends a message. Views borrow. Returns what the server is told: success with a body, or a failure.
    virtual void on_message(PeerId peer, session::Session& session, const session::Incoming& message) = 0;
    /// The server does not let this client in; `on_disconnected` follows.
    virtual void on_refused(PeerId, const wire::Refuse&) {}
    /// The server will close soon and takes no new requests.
    virtual void on_goodbye(PeerId peer, const wire::Goodbye& goodbye) = 0;
  };
  struct World {
    const Clock& clock;
    TimerHeap& timers;
    DatagramSender& sender;
    Entropy& entropy;
    Log log;
    WorkerMetrics& metrics;
    Events& events;
  };

  ClientCore(const ClientCoreConfig& config, quic::EndpointOptions options, World world);
  ~ClientCore() override;

  /// Starts a connection; `timeout` covers everything up to Welcome. With `resume`, a session that was kept, the server
  /// is asked to go on with it; when it does not, everybody who waits for something of it hears SessionLost.
  Result<PeerId> connect(const NetworkPath& path, const std::string& server_name, Credentials credentials,
                         Duration timeout, session::SessionId resume = {});
  /// Nobody will resume this session: those who wait hear why.
  void give_up(session::SessionId kept, const Error& why);
  /// The session of a connected peer; null before `on_connected` and after `on_disconnected`.
  session::Session* session(PeerId id);
  session::Session* session(session::SessionId id) { return sessions_.get(id); }
  quic::Connection* connection(PeerId id);
  /// Ends a connection in good order: the peer reads what is queued first.
  void close(PeerId id, Code code = Code::kPeerClosed, std::string_view reason = "goodbye");

  void receive(const ReceivedDatagrams& datagrams) { endpoint_->receive(datagrams); }
  void end_turn();
  void reap();

  quic::Endpoint& endpoint() { return *endpoint_; }
  size_t peer_count() const { return peers_.size(); }

 private:
  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  void on_greeting(Channel& channel, const wire::Frame& frame) override;
  void on_goodbye(Channel& channel, const wire::Goodbye& goodbye) override;
  void on_message(session::Session& session, session::Incoming message) override;
  void on_turn_wanted(session::Session& session) override;
  void on_renewal(Channel& channel, const wire::Renewal& renewal) override;
  void on_promise_expired(const session::Promise& promise) override;
  void on_promises_high(size_t in_use, size_t bound) override;

  /// What it takes to get a session back.
  struct Return {
    std::string token;
    std::optional<uint8_t> steer;  ///< first byte of the connection id that leads to whoever has the session
  };

  Peer* find(quic::ConnectionId id);
  Return* find_return(session::SessionId id);
  Code code_of_giving_up(const Peer& peer, Code code) const;
  void on_handshake(Peer& peer, quic::Connection& connection);
  void on_welcome(Peer& peer, const wire::Welcome& welcome);
  void on_refuse(Peer& peer, const wire::Refuse& refuse);
  session::SessionId make_session(const wire::Welcome& welcome);
  Status go_live(Peer& peer, const wire::Welcome& welcome);
  void end(PeerId id, Error why);
  void end_session(session::SessionId id, const Error& why);

  const ClientCoreConfig config_;
  World world_;
  Log log_;
  wire::Codec codec_;
  session::PromiseTable promises_;
  transfer::Planner planner_;
  BlockPool blocks_;
  std::unique_ptr<quic::Endpoint> endpoint_;
  SlotMap<session::Session> sessions_;
  tsl::robin_map<session::SessionId, Return> returns_;  ///< of sessions that may be resumed
  SlotMap<Peer> peers_;
  tsl::robin_map<quic::ConnectionId, PeerId> by_connection_;
  tsl::robin_map<session::SessionId, PeerId> by_session_;  ///< of sessions that have a connection
  std::vector<session::SessionId> turn_wanted_;
  uint64_t program_;  ///< proves to servers that greetings come from one and the same program
  uint32_t attempts_ = 0;
  RecentEvents recent_;
};

}  // namespace godwit::client

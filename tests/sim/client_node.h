#pragma once

#include <deque>
#include <functional>
#include <string>

#include "client/client_core.h"
#include "node.h"

namespace godwit::sim {

class ClientNode;

/// One session of a client, from dialling to its end, with everything it sends in the ledger. It ends with its
/// connection, unless the node keeps sessions.
class ClientPeer final : private session::ReplyWaiter {
 public:
  enum class State : uint8_t { kConnecting, kConnected, kParted, kEnded };

  ClientPeer(ClientNode& node, std::string client_id) : node_(node), client_id_(std::move(client_id)) {}

  struct Send {
    std::string_view action = "echo";
    Bytes body;
    session::SendOptions options;
    enum class Kind : uint8_t { kCommand, kQuery, kEvent, kEventUnheeded } kind = Kind::kCommand;
  };
  /// On error nothing was sent and the ledger knows nothing of it.
  Result<uint64_t> send(const Send& send);

  /// Withdraws a request that was sent here, with a connection or without.
  void cancel(uint64_t message_id);

  State state() const { return state_; }
  bool connected() const { return state_ == State::kConnected; }
  bool parted() const { return state_ == State::kParted; }
  bool ended() const { return state_ == State::kEnded; }
  uint64_t resumes() const { return resumes_; }
  const Error& why_ended() const { return why_ended_; }
  Timestamp ended_at() const { return ended_at_; }
  const std::string& client_id() const { return client_id_; }
  client::PeerId id() const { return id_; }
  bool told_goodbye() const { return told_goodbye_; }

  /// Called after the ledger, for each outcome of something sent here.
  std::function<void(const session::Reply&)> on_settled = [](const session::Reply&) {};
  /// Called for events that the ledger knows nothing of: those with the actions `before`, `after` and `note`.
  std::function<void(const session::Incoming&)> on_note = [](const session::Incoming&) {};

 private:
  friend class ClientNode;
  void on_reply(uint64_t cookie, const session::Reply& reply) override;

  ClientNode& node_;
  const std::string client_id_;
  std::string token_;
  client::PeerId id_;
  State state_ = State::kConnecting;
  Error why_ended_;
  Timestamp ended_at_{};
  bool told_goodbye_ = false;
  session::SessionId kept_;  ///< without a connection
  bool lost_ = false;        ///< the server has another session for it, which it does not want
  uint64_t resumes_ = 0;
};

/// A client process of the real code, behind a NAT, with any number of connections over one socket.
class ClientNode final : public Node, private client::ClientCore::Events {
 public:
  struct Options {
    client::ClientCoreConfig core;
    quic::TransportConfig transport;
    uint8_t number = 1;  ///< of its host
    /// With core.keep_sessions: how long after the loss of a connection, or a failed try, the next is made; 0: not by
    /// itself.
    Duration redial_after{};
  };
  explicit ClientNode(World& world) : ClientNode(world, Options()) {}
  ClientNode(World& world, const Options& options);

  /// Starts a connection to the server. The returned peer lives as long as the node.
  ClientPeer& connect(Duration timeout = 10s, std::string token = {}, std::string uid = {}) {
    return connect_as(name() + "." + std::to_string(peers_.size() + 1), timeout, std::move(token), std::move(uid));
  }
  ClientPeer& connect_as(std::string client_id, Duration timeout = 10s, std::string token = {}, std::string uid = {});
  void close(const ClientPeer& peer, Code code = Code::kPeerClosed) { core_.close(peer.id(), code); }
  /// Its connection is lost, as far as this side is concerned: the server hears nothing of it.
  void drop(const ClientPeer& peer);
  /// Asks the server to go on with a parted session.
  void resume(ClientPeer& peer, Duration timeout = 10s);
  /// Moves a connection to another port of this host on purpose, as a client does that changes its interface.
  void migrate(const ClientPeer& peer);
  void update_keys(const ClientPeer& peer);
  size_t connected() const { return connected_; }
  const std::deque<ClientPeer>& peers() const { return peers_; }

  client::ClientCore& core() { return core_; }
  World& world() { return world_; }

  void receive(const ReceivedDatagrams& datagrams) override { core_.receive(datagrams); }
  bool end_turn() override;

 private:
  static constexpr uint16_t kFirstPort = 5000;
  void part(ClientPeer& peer, session::SessionId kept);
  void on_connected(client::PeerId id, const client::Entry& entry) override;
  void on_disconnected(client::PeerId id, const Error& why, session::SessionId kept) override;
  void on_message(client::PeerId id, session::Session& session, const session::Incoming& message) override;
  void on_goodbye(client::PeerId id, const wire::Goodbye& goodbye) override;
  ClientPeer* find(client::PeerId id);

  std::deque<ClientPeer> peers_;  // before the core, whose sessions tell them of their end
  const Duration redial_after_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< for what happens later, if it still can
  size_t connected_ = 0;
  uint16_t last_port_ = kFirstPort;
  client::ClientCore core_;
};

}  // namespace godwit::sim

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node.h"
#include "wire/codec.h"

namespace godwit::sim {

/// A client that writes its greetings by hand and claims sessions with whatever proof it is told to show, over any
/// number of connections at once. It keeps no session, acknowledges nothing, and never gives a connection up.
class ClaimantNode final : public Node, private quic::ConnectionOwner {
 public:
  struct Claim {
    std::string client_id = "claimant";
    std::string token = {};         ///< the proof; empty: none
    uint64_t handled = 0;           ///< of the server's messages
    uint64_t known = 0;             ///< of its own
    size_t hello_bytes = SIZE_MAX;  ///< so much of its greeting is sent, and nothing after it
  };
  struct Attempt {
    Claim claim;
    quic::ConnectionId connection;
    quic::StreamId control = -1, shared = -1;
    bool welcomed = false, resumed = false;
    Code lost = Code::kOk;
    uint64_t handled = 0;  ///< of the client's messages, as the Welcome says
    std::string token;     ///< the proof that the Welcome brought
    std::optional<Code> refused;
    std::optional<quic::Closed> closed;
    uint64_t acknowledged = 0;
    std::vector<uint64_t> received;  ///< numbers of the server's messages
    bool hears = false;              ///< the server's shared lane has begun
    bool decided() const { return welcomed || refused || closed; }
  };

  explicit ClaimantNode(World& world);

  /// Another connection; what becomes of it shows in the attempt, which lives as long as the node.
  Attempt& come(Claim claim);
  /// The connection is gone, and the server hears nothing of it.
  void drop(const Attempt& attempt);
  /// An event of this number; in the ledger only when it is to have an effect.
  void send_event(Attempt& attempt, uint64_t seq, bool to_be_handled);
  /// Any bytes on the shared lane, the ledger unasked.
  void write(Attempt& attempt, Bytes bytes);
  wire::Codec& codec() { return codec_; }
  /// The size of this greeting on the control stream.
  size_t hello_bytes(const Claim& claim);

  void receive(const ReceivedDatagrams& datagrams) override { endpoint_->receive(datagrams); }
  bool end_turn() override;

 private:
  Attempt* find(quic::ConnectionId id);
  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  Bytes encode(const Claim& claim);
  void greet(Attempt& attempt, quic::Connection& connection);
  void read(Attempt& attempt, quic::Connection& connection, quic::StreamId stream);
  void on_frame(Attempt& attempt, const wire::Frame& frame);

  std::unique_ptr<quic::Endpoint> endpoint_;
  wire::Codec codec_;
  std::deque<Attempt> attempts_;
};

}  // namespace godwit::sim

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "node.h"
#include "wire/codec.h"

namespace godwit::sim {

/// A client that speaks QUIC correctly and godwit/1 as badly as it is told to: no session, no channel.
class RawClientNode final : public Node, private quic::ConnectionOwner {
 public:
  explicit RawClientNode(World& world);

  enum class Behaviour : uint8_t {
    kSilent,       ///< shakes hands and says nothing
    kByteASecond,  ///< sends its greeting one byte a second
    kGreetsTwice,  ///< sends two greetings in one breath: one with a wrong token, then one with the right token
  };
  void connect(Behaviour behaviour);

  bool handshake_done() const { return handshake_done_; }
  const std::optional<quic::Closed>& closed() const { return closed_; }

  void receive(const ReceivedDatagrams& datagrams) override { endpoint_->receive(datagrams); }
  bool end_turn() override;

 private:
  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  void greet(quic::Connection& connection);
  void append_hello(std::string_view token);
  void drip(size_t at);

  std::unique_ptr<quic::Endpoint> endpoint_;
  wire::Codec codec_;
  quic::ConnectionId connection_;
  quic::StreamId control_ = -1;
  std::vector<uint8_t> greeting_;
  Behaviour behaviour_ = Behaviour::kSilent;
  bool handshake_done_ = false;
  std::optional<quic::Closed> closed_;
};

}  // namespace godwit::sim

#include "raw_client_node.h"

#include "server_node.h"
#include "world.h"

namespace godwit::sim {

RawClientNode::RawClientNode(World& world) : Node(world, "raw", inside_address(200, 5000), Network::Place::kBehindNat) {
  quic::EndpointOptions options;
  options.tls_client = world.tls().client;
  endpoint_ = quic::make_endpoint(options, {world.clock(), timers(), sender(), entropy_, log(), metrics()}, *this);
}

void RawClientNode::connect(Behaviour behaviour) {
  behaviour_ = behaviour;
  handshake_done_ = false;
  closed_.reset();
  const auto id = endpoint_->connect({own(), ServerNode::address()}, "localhost");
  world_.expect(id.has_value(), "cannot dial");
  if (id) connection_ = *id;
}

bool RawClientNode::end_turn() {
  endpoint_->flush();
  endpoint_->reap();
  return endpoint_->wants_flush() && !endpoint_->blocked();
}

void RawClientNode::on_events(quic::Connection& connection, std::span<const quic::Event> events) {
  for (const quic::Event& event : events) {
    if (std::holds_alternative<quic::HandshakeCompleted>(event)) {
      handshake_done_ = true;
      if (behaviour_ != Behaviour::kSilent) greet(connection);
    } else if (const auto* closed = std::get_if<quic::Closed>(&event)) {
      closed_ = *closed;
    }
  }
}

void RawClientNode::greet(quic::Connection& connection) {
  const auto stream = connection.open_bidi();
  world_.expect(stream.has_value(), "no control stream");
  if (!stream) return;
  control_ = *stream;
  greeting_ = {static_cast<uint8_t>(wire::StreamType::kControl)};
  append_hello("wrong");
  if (behaviour_ == Behaviour::kByteASecond) return drip(0);
  append_hello("right");
  connection.write(control_, greeting_);
}

void RawClientNode::append_hello(std::string_view token) {
  const Bytes hello = codec_.encode(wire::Hello{.client_id = "raw", .token = token});
  greeting_.insert(greeting_.end(), hello.begin(), hello.end());
}

void RawClientNode::drip(size_t at) {
  quic::Connection* connection = endpoint_->get(connection_);
  if (!connection || closed_ || at >= greeting_.size()) return;
  connection->write(control_, Bytes(greeting_).subspan(at, 1));
  world_.after(1s, [this, at] { drip(at + 1); });
}

}  // namespace godwit::sim

#include "raw_client_node.h"

#include "payload.h"
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
    } else if (const auto* readable = std::get_if<quic::StreamReadable>(&event)) {
      if (readable->stream == control_ && !pinging_) read_control(connection);
    }
  }
}

void RawClientNode::greet(quic::Connection& connection) {
  const auto stream = connection.open_bidi();
  world_.expect(stream.has_value(), "no control stream");
  if (!stream) return;
  control_ = *stream;
  greeting_ = {static_cast<uint8_t>(wire::StreamType::kControl)};
  const bool greets_well = behaviour_ == Behaviour::kBreaksBodies || behaviour_ == Behaviour::kNeverReads;
  if (!greets_well) append_hello("wrong");
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

void RawClientNode::read_control(quic::Connection& connection) {
  for (;;) {
    const auto cut = wire::cut_frame(connection.readable(control_), codec_.limits().control_frame_bytes_max);
    if (!cut || cut->state == wire::FrameCut::State::kNeedMore) return;
    on_frame(connection, cut->frame);
    connection.consume(control_, cut->bytes);
  }
}

void RawClientNode::on_frame(quic::Connection& connection, const wire::Frame& frame) {
  if (frame.type == wire::FrameType::kWelcome && behaviour_ == Behaviour::kBreaksBodies)
    return break_bodies(connection);
  if (frame.type == wire::FrameType::kWelcome && behaviour_ == Behaviour::kNeverReads) return ping_on();
  if (frame.type != wire::FrameType::kAck) return;
  const auto ack = codec_.decode_ack(frame.payload);
  world_.expect(ack.has_value(), "an acknowledgement cannot be read");
  if (!ack) return;
  acknowledged_ = ack->cumulative;
  for (const wire::Nack& nack : ack->nacks) refused_[nack.seq] = nack.code;
}

void RawClientNode::break_bodies(quic::Connection& connection) {
  const std::vector<uint8_t> bytes(2'000);
  const auto shared = connection.open_uni();
  write_type(connection, *shared, wire::StreamType::kShared);
  const auto shorter = open_message(connection, 1, bytes.size() + 1);
  connection.write(shorter, bytes, quic::Connection::Fin::kYes);
  const auto longer = open_message(connection, 2, bytes.size() - 1);
  connection.write(longer, bytes, quic::Connection::Fin::kYes);
  const auto reset = open_message(connection, 3, bytes.size() + 1);
  connection.write(reset, bytes);
  world_.after(500ms, [this, reset] {
    quic::Connection* connection = endpoint_->get(connection_);
    if (connection) connection->reset(reset, Code::kCancelled);
  });
  connection.write(*shared, *codec_.encode_message(next_event(4), 0));
}

void RawClientNode::ping_on() {
  constexpr int kPingsAtOnce = 1'000;
  pinging_ = true;
  quic::Connection* connection = endpoint_->get(connection_);
  if (!connection || closed_) return;
  for (uint64_t i = 0; i < kPingsAtOnce; ++i) {
    connection->write(control_, codec_.encode(wire::Ping{~i}));
    ++pings_;
  }
  world_.after(10ms, [this] { ping_on(); });
}

quic::StreamId RawClientNode::open_message(quic::Connection& connection, uint64_t seq, uint64_t body_bytes) {
  const auto stream = connection.open_uni();
  write_type(connection, *stream, wire::StreamType::kOwn);
  wire::Envelope envelope = next_event(seq);
  envelope.body_bytes = body_bytes;
  connection.write(*stream, *codec_.encode_message_head(envelope));
  return *stream;
}

void RawClientNode::write_type(quic::Connection& connection, quic::StreamId stream, wire::StreamType type) {
  const auto byte = static_cast<uint8_t>(type);
  connection.write(stream, {&byte, 1});
}

wire::Envelope RawClientNode::next_event(uint64_t seq) {
  world_.ledger().sent(
      "raw", seq,
      {.hash = hash_message("sink", hash_bytes({})), .kind = Ledger::Message::Kind::kEvent, .awaited = false});
  return {.seq = seq, .after_delta = 1, .kind = wire::Kind::kEvent, .action = "sink"};
}

}  // namespace godwit::sim

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
    } else if (const auto* reset = std::get_if<quic::StreamReset>(&event)) {
      resets_[reset->stream] = reset->app_error;
    } else if (std::holds_alternative<quic::StreamClosed>(event)) {
      ++streams_closed_;
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
  const bool greets_badly = behaviour_ == Behaviour::kByteASecond || behaviour_ == Behaviour::kGreetsTwice;
  if (greets_badly) append_hello("wrong");
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
  if (frame.type == wire::FrameType::kWelcome) return on_welcome(connection);
  if (frame.type != wire::FrameType::kAck) return;
  const auto ack = codec_.decode_ack(frame.payload);
  world_.expect(ack.has_value(), "an acknowledgement cannot be read");
  if (!ack) return;
  acknowledged_ = ack->cumulative;
  for (const wire::Nack& nack : ack->nacks) refused_[nack.seq] = nack.code;
}

void RawClientNode::on_welcome(quic::Connection& connection) {
  switch (behaviour_) {
    case Behaviour::kBreaksBodies: return break_bodies(connection);
    case Behaviour::kResetsHead:
    case Behaviour::kCutsHead: return lose_head(connection);
    case Behaviour::kOpensUnknown: return open_unknown(connection);
    case Behaviour::kHoardsBodies: return hoard_bodies(connection);
    case Behaviour::kSendsDatagram:
      world_.expect(connection.send_datagram(datagram).has_value(), "the datagram is not taken");
      return;
    case Behaviour::kNeverReads: return ping_on();
    default: return;
  }
}

quic::StreamId RawClientNode::open_shared(quic::Connection& connection) {
  const auto shared = connection.open_uni();
  write_type(connection, *shared, wire::StreamType::kShared);
  return *shared;
}

void RawClientNode::lose_head(quic::Connection& connection) {
  const auto shared = open_shared(connection);
  const auto lost = connection.open_uni();
  write_type(connection, *lost, wire::StreamType::kOwn);
  connection.write(shared, *codec_.encode_message(next_event(2), 0));
  if (behaviour_ == Behaviour::kCutsHead) {
    const Bytes head = *codec_.encode_message_head(next_event(1));
    connection.write(*lost, head.first(head.size() / 2), quic::Connection::Fin::kYes);
  } else {
    world_.after(500ms, [this, lost] {
      quic::Connection* connection = endpoint_->get(connection_);
      if (connection) connection->reset(*lost, Code::kCancelled);
    });
  }
}

void RawClientNode::hoard_bodies(quic::Connection& connection) {
  const auto shared = open_shared(connection);
  const auto body = std::make_shared<const std::vector<uint8_t>>(make_body(world_.seed(), 1 << 20));
  const auto all_but_one = std::make_shared<const std::vector<uint8_t>>(body->begin(), body->end() - 1);
  for (uint64_t seq = 1; seq <= kHoards; ++seq) {
    const auto stream = connection.open_uni();
    write_type(connection, *stream, wire::StreamType::kOwn);
    wire::Envelope envelope = next_event(seq, *body, 0);
    envelope.body_bytes = body->size();
    connection.write(*stream, *codec_.encode_message_head(envelope));
    connection.write_shared(*stream, all_but_one);
    hoarded_.push_back(*stream);
  }
  connection.write(shared, *codec_.encode_message(next_event(kHoards + 1, {}, 0), 0));
}

void RawClientNode::finish_bodies() {
  quic::Connection* connection = endpoint_->get(connection_);
  const std::vector<uint8_t> body = make_body(world_.seed(), 1 << 20);
  for (const quic::StreamId stream : hoarded_) {
    connection->write(stream, Bytes(body).last(1), quic::Connection::Fin::kYes);
  }
}

void RawClientNode::break_bodies(quic::Connection& connection) {
  const std::vector<uint8_t> bytes(2'000);
  const auto shared = open_shared(connection);
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
  connection.write(shared, *codec_.encode_message(next_event(4), 0));
}

void RawClientNode::open_unknown(quic::Connection& connection) {
  const auto unknown = static_cast<wire::StreamType>(99);
  write_type(connection, *connection.open_uni(), unknown);
  write_type(connection, *connection.open_bidi(), unknown);
  connection.write(open_shared(connection), *codec_.encode_message(next_event(1), 0));
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

wire::Envelope RawClientNode::next_event(uint64_t seq, Bytes body, uint32_t after_delta) {
  world_.ledger().sent("raw", seq,
                       {.hash = hash_message("sink", hash_bytes(body)),
                        .kind = Ledger::Message::Kind::kEvent,
                        .ordered = after_delta != 0,
                        .awaited = false});
  return {.seq = seq, .after_delta = after_delta, .kind = wire::Kind::kEvent, .action = "sink"};
}

}  // namespace godwit::sim

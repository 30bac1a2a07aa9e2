#include "claimant_node.h"

#include "payload.h"
#include "server_node.h"
#include "world.h"

namespace godwit::sim {
namespace {
constexpr size_t kFrameBytesMax = 1 << 20;
}

ClaimantNode::ClaimantNode(World& world)
    : Node(world, "claimant", inside_address(201, 5000), Network::Place::kBehindNat) {
  quic::EndpointOptions options;
  options.tls_client = world.tls().client;
  endpoint_ = quic::make_endpoint(options, {world.clock(), timers(), sender(), entropy_, log(), metrics()}, *this);
}

ClaimantNode::Attempt& ClaimantNode::come(Claim claim) {
  Attempt& attempt = attempts_.emplace_back();
  attempt.claim = std::move(claim);
  const auto id = endpoint_->connect({own(), ServerNode::address()}, "localhost");
  world_.expect(id.has_value(), "cannot dial");
  if (id) attempt.connection = *id;
  return attempt;
}

void ClaimantNode::drop(const Attempt& attempt) {
  quic::Connection* connection = endpoint_->get(attempt.connection);
  if (!connection) return;
  Conditions& up = world_.network().up(*this).conditions;
  up.blackhole = true;
  connection->close(Code::kConnectionLost, "dropped");
  endpoint_->flush();
  up.blackhole = false;
}

bool ClaimantNode::end_turn() {
  endpoint_->flush();
  endpoint_->reap();
  return endpoint_->wants_flush() && !endpoint_->blocked();
}

ClaimantNode::Attempt* ClaimantNode::find(quic::ConnectionId id) {
  for (Attempt& attempt : attempts_) {
    if (attempt.connection == id) return &attempt;
  }
  return nullptr;
}

void ClaimantNode::on_events(quic::Connection& connection, std::span<const quic::Event> events) {
  Attempt* attempt = find(connection.id());
  for (const quic::Event& event : events) {
    if (std::holds_alternative<quic::HandshakeCompleted>(event)) {
      greet(*attempt, connection);
    } else if (const auto* closed = std::get_if<quic::Closed>(&event)) {
      attempt->closed = *closed;
    } else if (const auto* readable = std::get_if<quic::StreamReadable>(&event)) {
      read(*attempt, connection, readable->stream);
    }
  }
}

Bytes ClaimantNode::encode(const Claim& claim) {
  return codec_.encode(wire::Hello{.client_id = claim.client_id,
                                   .last_seq = claim.handled,
                                   .resume_token = claim.token,
                                   .features = wire::features::kResume,
                                   .known_seq = claim.known});
}

size_t ClaimantNode::hello_bytes(const Claim& claim) { return encode(claim).size(); }

void ClaimantNode::greet(Attempt& attempt, quic::Connection& connection) {
  attempt.control = *connection.open_bidi();
  const auto type = static_cast<uint8_t>(wire::StreamType::kControl);
  connection.write(attempt.control, {&type, 1});
  const Bytes hello = encode(attempt.claim);
  connection.write(attempt.control, hello.first(std::min(hello.size(), attempt.claim.hello_bytes)));
}

/// The control stream, or the server's shared lane, whose first byte says so.
void ClaimantNode::read(Attempt& attempt, quic::Connection& connection, quic::StreamId stream) {
  if (stream != attempt.control && !connection.readable(stream).empty() && !std::exchange(attempt.hears, true))
    connection.consume(stream, 1);
  for (;;) {
    const auto cut = wire::cut_frame(connection.readable(stream), kFrameBytesMax);
    if (!cut || cut->state == wire::FrameCut::State::kNeedMore) return;
    on_frame(attempt, cut->frame);
    connection.consume(stream, cut->bytes);
  }
}

void ClaimantNode::on_frame(Attempt& attempt, const wire::Frame& frame) {
  if (frame.type == wire::FrameType::kWelcome) {
    const auto welcome = codec_.decode_welcome(frame.payload);
    world_.expect(welcome.has_value(), "a Welcome cannot be read");
    if (!welcome) return;
    attempt.welcomed = true;
    attempt.resumed = welcome->resumed;
    attempt.lost = welcome->lost;
    attempt.handled = welcome->last_seq;
    attempt.token = welcome->resume_token;
  } else if (frame.type == wire::FrameType::kRefuse) {
    const auto refuse = codec_.decode_refuse(frame.payload);
    if (refuse) attempt.refused = refuse->code;
  } else if (frame.type == wire::FrameType::kAck) {
    const auto ack = codec_.decode_ack(frame.payload);
    if (ack) attempt.acknowledged = ack->cumulative;
  } else if (frame.type == wire::FrameType::kMessage) {
    const auto message = codec_.decode_message(frame.payload);
    if (message) attempt.received.push_back(message->envelope.seq);
  }
}

void ClaimantNode::send_event(Attempt& attempt, uint64_t seq, bool to_be_handled) {
  if (to_be_handled) {
    world_.ledger().sent(
        attempt.claim.client_id, seq,
        {.hash = hash_message("sink", hash_bytes({})), .kind = Ledger::Message::Kind::kEvent, .awaited = false});
  }
  const wire::Envelope envelope{.seq = seq, .kind = wire::Kind::kEvent, .action = "sink"};
  write(attempt, *codec_.encode_message(envelope, 0));
}

void ClaimantNode::write(Attempt& attempt, Bytes bytes) {
  quic::Connection* connection = endpoint_->get(attempt.connection);
  if (!connection || attempt.closed) return;
  if (attempt.shared < 0) {
    attempt.shared = *connection->open_uni();
    const auto type = static_cast<uint8_t>(wire::StreamType::kShared);
    connection->write(attempt.shared, {&type, 1});
  }
  connection->write(attempt.shared, bytes);
}

}  // namespace godwit::sim

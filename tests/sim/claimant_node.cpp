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

void ClaimantNode::greet(Attempt& attempt, quic::Connection& connection) {
  attempt.control = *connection.open_bidi();
  const auto type = static_cast<uint8_t>(wire::StreamType::kControl);
  connection.write(attempt.control, {&type, 1});
  connection.write(attempt.control, codec_.encode(wire::Hello{.client_id = attempt.claim.client_id,
                                                              .last_seq = attempt.claim.handled,
                                                              .resume_token = attempt.claim.token,
                                                              .features = wire::features::kResume,
                                                              .known_seq = attempt.claim.known}));
}

/// The control stream, or the server's shared lane, whose first byte says so.
void ClaimantNode::read(Attempt& attempt, quic::Connection& connection, quic::StreamId stream) {
  for (;;) {
    const Bytes bytes = connection.readable(stream);
    if (!bytes.empty() && bytes[0] == static_cast<uint8_t>(wire::StreamType::kShared) && attempt.received.empty() &&
        stream != attempt.control) {
      connection.consume(stream, 1);
      attempt.received.push_back(0);
      continue;
    }
    const auto cut = wire::cut_frame(bytes, kFrameBytesMax);
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
  quic::Connection* connection = endpoint_->get(attempt.connection);
  if (!connection || attempt.closed) return;
  if (attempt.shared < 0) {
    attempt.shared = *connection->open_uni();
    const auto type = static_cast<uint8_t>(wire::StreamType::kShared);
    connection->write(attempt.shared, {&type, 1});
  }
  if (to_be_handled) {
    world_.ledger().sent(
        attempt.claim.client_id, seq,
        {.hash = hash_message("sink", hash_bytes({})), .kind = Ledger::Message::Kind::kEvent, .awaited = false});
  }
  const wire::Envelope envelope{.seq = seq, .kind = wire::Kind::kEvent, .action = "sink"};
  connection->write(attempt.shared, *codec_.encode_message(envelope, {}));
}

}  // namespace godwit::sim

#include "client/channel.h"

#include <algorithm>

namespace godwit::client {
namespace {

/// What may wait on the control stream: sixteen of its largest frames. Whoever reads never lets so much pile up;
/// whoever asks and does not read would have us keep answers without end.
constexpr uint64_t kControlBytesQueuedMax = 256 * 1024;

bool is_greeting(wire::FrameType type) {
  return type == wire::FrameType::kHello || type == wire::FrameType::kWelcome || type == wire::FrameType::kRefuse;
}

}  // namespace

Channel::Channel(quic::Connection& connection, const session::SessionConfig& config, World world)
    : connection_(connection),
      config_(config),
      world_(world),
      own_streams_(connection, config, world.codec, world.metrics),
      lanes_(world.planner, connection, world.clock, world.log),
      last_heard_(world.clock.now()),
      heartbeat_timer_([this](Timestamp now) { on_heartbeat(now); }) {}

Channel::~Channel() { detach(); }

void Channel::detach() {
  closed_ = true;
  world_.timers.disarm(heartbeat_timer_);
  if (session_) session_->detach();
  session_ = nullptr;
}

Status Channel::greet(const wire::Hello& hello) {
  auto stream = connection_.open_bidi();
  if (!stream) return tl::unexpected(std::move(stream.error()));
  control_ = *stream;
  const uint8_t type = static_cast<uint8_t>(wire::StreamType::kControl);
  connection_.write(control_, {&type, 1});
  send_control(world_.codec.encode(hello));
  return {};
}

void Channel::send_control(Bytes frame) {
  if (closed_ || control_ < 0) return;
  connection_.write(control_, frame);
  if (connection_.queued_bytes(control_) > kControlBytesQueuedMax)
    close(Code::kExcessiveLoad, "the control stream is not read");
}

Status Channel::go_live(session::Session& session, Duration heartbeat, uint64_t features,
                        const std::optional<session::Resync>& resync) {
  auto stream = connection_.open_uni();
  if (!stream) return tl::unexpected(std::move(stream.error()));
  shared_out_ = *stream;
  const uint8_t type = static_cast<uint8_t>(wire::StreamType::kShared);
  connection_.write(shared_out_, {&type, 1});
  session_ = &session;
  features_ = features;
  if (resync) {
    session.resume(*this, *resync);
  } else {
    session.attach(*this);
  }
  heartbeat_ = heartbeat;
  last_heard_ = world_.clock.now();
  if (heartbeat_ > Duration::zero()) arm_heartbeat(last_heard_ + heartbeat_);
  return {};
}

void Channel::read_early() {
  std::vector<quic::StreamId> early;
  for (const auto& [id, inbound] : inbound_) {
    if (id != control_) early.push_back(id);  // its frames are being read right now
  }
  std::sort(early.begin(), early.end());
  for (const quic::StreamId id : early) {
    if (!closed_) on_readable(id);
  }
}

void Channel::on_event(const quic::Event& event) {
  if (closed_) return;
  last_heard_ = world_.clock.now();
  if (session_) session_->heard();
  if (const auto* readable = std::get_if<quic::StreamReadable>(&event)) return on_readable(readable->stream);
  if (const auto* reset = std::get_if<quic::StreamReset>(&event)) return on_reset(reset->stream);
  if (const auto* gone = std::get_if<quic::StreamClosed>(&event)) {
    inbound_.erase(gone->stream);
    return send_waiting();
  }
  if (const auto* datagram = std::get_if<quic::DatagramReceived>(&event)) return on_datagram(datagram->payload);
  if (std::holds_alternative<quic::StreamsAvailable>(event)) send_waiting();
}

void Channel::on_reset(quic::StreamId stream) {
  if (stream == control_ || stream == shared_in_ || stream == shared_out_) {
    return close(Code::kProtocolError, "a stream of the connection's life was reset");
  }
  const auto found = inbound_.find(stream);
  if (found == inbound_.end() || !found->second.type) {
    if (may_carry_message(stream)) close(Code::kProtocolError, "a stream was reset before it said what it carries");
    return;
  }
  Inbound& inbound = found.value();
  if (inbound.over || *inbound.type != wire::StreamType::kOwn) return;
  inbound.over = true;
  const auto broken = own_streams_.give_up(stream, {Code::kCancelled, "the sender gave its message up"});
  // A reset may overtake the head, and then nobody knows which number is missing from now on.
  if (!broken.head) return close(Code::kProtocolError, "an own stream was reset before its head was read");
  on_broken(stream, broken);
}

/// Messages travel on unidirectional streams of the peer.
bool Channel::may_carry_message(quic::StreamId stream) const {
  return !quic::is_bidi(stream) && quic::opener_of(stream) != connection_.role();
}

void Channel::on_readable(quic::StreamId stream) {
  Inbound& inbound = inbound_[stream];
  if (!inbound.over) read(stream, inbound);
}

void Channel::confirm() {
  if (live() && !std::exchange(confirmed_, true)) world_.owner.on_confirmed(*this);
}

void Channel::read(quic::StreamId stream, Inbound& inbound) {
  // A server's messages may overtake its Welcome; a client that sends any before Welcome breaks the protocol.
  const bool control = quic::is_bidi(stream);
  if (!live() && !control) {
    if (connection_.role() == quic::Role::kServer) close(Code::kUnexpectedFrame, "a message before Welcome");
    return;
  }
  if (stream == control_ && !inbound.type) inbound.type = wire::StreamType::kControl;
  if (!inbound.type && !accept_type(stream, inbound)) return;
  if (*inbound.type == wire::StreamType::kOwn) return on_own(stream, inbound, own_streams_.read(stream));
  read_frames(stream, *inbound.type);
}

bool Channel::accept_type(quic::StreamId stream, Inbound& inbound) {
  const Bytes bytes = connection_.readable(stream);
  if (bytes.empty()) {
    if (!connection_.finished(stream)) return false;
    if (may_carry_message(stream)) return close(Code::kFrameTruncated, "an empty stream"), false;
    refuse_stream(stream, Code::kFrameTruncated, "an empty stream");
    return false;
  }
  const auto type = static_cast<wire::StreamType>(bytes[0]);
  const bool bidi = quic::is_bidi(stream);
  if (type == wire::StreamType::kControl && bidi) {
    if (control_ >= 0) return close(Code::kDuplicateStream, "a second control stream"), false;
    control_ = stream;
  } else if (type == wire::StreamType::kShared && !bidi) {
    if (shared_in_ >= 0) return close(Code::kDuplicateStream, "a second shared lane"), false;
    shared_in_ = stream;
  } else if (type != wire::StreamType::kOwn || bidi) {
    refuse_stream(stream, Code::kStreamTypeUnknown, "unknown stream type");
    return false;
  }
  connection_.consume(stream, 1);
  inbound.type = type;
  return true;
}

void Channel::read_frames(quic::StreamId stream, wire::StreamType type) {
  const bool control = type == wire::StreamType::kControl;
  const uint64_t frame_bytes_max =
      control ? world_.codec.limits().control_frame_bytes_max : world_.codec.limits().shared_frame_bytes_max;
  const Bytes bytes = connection_.readable(stream);
  size_t used = 0;
  while (!closed_) {
    const auto cut = wire::cut_frame(bytes.subspan(used), frame_bytes_max);
    if (!cut) return close(cut.error());
    if (cut->state == wire::FrameCut::State::kNeedMore) break;
    if (!(control ? on_control(cut->frame) : on_shared(cut->frame))) return;
    used += cut->bytes;
  }
  if (closed_) return;
  if (used > 0) connection_.consume(stream, used);
  if (connection_.finished(stream)) {
    const bool whole = used == bytes.size();
    close(whole ? Code::kPeerClosed : Code::kFrameTruncated,
          whole ? "the peer finished a stream of the connection's life" : "");
  }
}

bool Channel::on_control(const wire::Frame& frame) {
  if (is_greeting(frame.type)) {
    if (live()) return close(Code::kUnexpectedFrame, "a greeting after the greeting"), false;
    world_.owner.on_greeting(*this, frame);
    return !closed_;
  }
  if (frame.type == wire::FrameType::kGoodbye) {
    const auto goodbye = world_.codec.decode_goodbye(frame.payload);
    if (!goodbye) return malformed(goodbye.error());
    world_.owner.on_goodbye(*this, *goodbye);
    return !closed_;
  }
  if (!live()) return close(Code::kUnexpectedFrame, "Hello must come first"), false;
  return on_live_control(frame);
}

bool Channel::malformed(const Error& error) { return close(error), false; }

bool Channel::on_live_control(const wire::Frame& frame) {
  confirm();
  switch (frame.type) {
    case wire::FrameType::kPing: {
      const auto ping = world_.codec.decode_ping(frame.payload);
      if (!ping) return malformed(ping.error());
      send_control(world_.codec.encode(wire::Pong{ping->nonce}));
      return true;
    }
    case wire::FrameType::kPong: {
      const auto pong = world_.codec.decode_pong(frame.payload);
      return pong ? true : malformed(pong.error());
    }
    case wire::FrameType::kAck: {
      const auto ack = world_.codec.decode_ack(frame.payload);
      if (!ack) return malformed(ack.error());
      session_->receive_ack(*ack);
      return !closed_;
    }
    case wire::FrameType::kCancel: {
      const auto cancel = world_.codec.decode_cancel(frame.payload);
      if (!cancel) return malformed(cancel.error());
      session_->receive_cancel(cancel->id);
      return !closed_;
    }
    case wire::FrameType::kRenewal: {
      const auto renewal = world_.codec.decode_renewal(frame.payload);
      if (!renewal) return malformed(renewal.error());
      world_.owner.on_renewal(*this, *renewal);
      return !closed_;
    }
    default:
      return close(Code::kFrameUnknown, "frame type " + std::to_string(int(frame.type)) + " on the control stream"),
             false;
  }
}

bool Channel::on_shared(const wire::Frame& frame) {
  if (frame.type != wire::FrameType::kMessage) {
    return close(Code::kFrameUnknown, "frame type " + std::to_string(int(frame.type)) + " on the shared lane"), false;
  }
  const auto message = world_.codec.decode_message(frame.payload);
  if (!message) return close(message.error()), false;
  confirm();
  session_->receive(message->envelope, message->body);
  return !closed_;
}

void Channel::on_datagram(Bytes payload) {
  if (!live()) return;  // it overtook the greeting: lost like others
  const auto cut = wire::cut_frame(payload, world_.codec.limits().shared_frame_bytes_max);
  if (!cut) return close(cut.error());
  if (cut->state != wire::FrameCut::State::kFrame || cut->bytes != payload.size())
    return close(Code::kFrameMalformed, "a datagram that is not one frame");
  if (cut->frame.type != wire::FrameType::kMessage)
    return close(Code::kFrameUnknown, "frame type " + std::to_string(int(cut->frame.type)) + " in a datagram");
  const auto message = world_.codec.decode_message(cut->frame.payload);
  if (!message) return close(message.error());
  if (message->envelope.seq != 0) return close(Code::kSequenceInvalid, "a numbered message in a datagram");
  session_->receive(message->envelope, message->body);
}

void Channel::on_own(quic::StreamId stream, Inbound& inbound, OwnStreams::Progress progress) {
  if (std::holds_alternative<OwnStreams::Unfinished>(progress)) return;
  inbound.over = true;
  confirm();
  if (auto* message = std::get_if<wire::StoredMessage>(&progress)) return session_->receive(std::move(*message));
  const auto& broken = std::get<OwnStreams::Broken>(progress);
  if (!broken.head) return close(broken.error);
  on_broken(stream, broken);
}

/// The sender is told; the connection, and what follows in the order, goes on.
void Channel::on_broken(quic::StreamId stream, const OwnStreams::Broken& broken) {
  refuse_stream(stream, broken.error.code, broken.error.text);
  if (live()) session_->receive_refused(broken.head->envelope(), broken.error.code, broken.error.text);
}

void Channel::refuse_stream(quic::StreamId stream, Code code, std::string_view text) {
  world_.log.debug("stream refused", {{"code", code}, {"reason", text}, {"stream", stream}});
  inbound_[stream].over = true;
  connection_.reset(stream, code);
}

Status Channel::send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody& shared) {
  if (closed_) return fail(Code::kConnectionLost, "the connection is closed");
  if (envelope.flags & wire::flags::kUnreliable) return send_datagram(envelope, body);
  if (lanes_.lane_of(envelope, body.size()) == transfer::Lane::kShared) {
    const auto front = world_.codec.encode_message(envelope, body.size());
    if (!front) return tl::unexpected(front.error());
    connection_.write(shared_out_, *front);
    if (!body.empty()) connection_.write(shared_out_, body);
    return {};
  }
  wire::Envelope head = envelope;
  head.body_bytes = body.size();
  const auto encoded = world_.codec.encode_message_head(head);
  if (!encoded) return tl::unexpected(encoded.error());
  send_own(*encoded, body, shared);
  return {};
}

/// A datagram is one Message frame.
Status Channel::send_datagram(const wire::Envelope& envelope, Bytes body) {
  const auto front = world_.codec.encode_message(envelope, body.size());
  if (!front) return tl::unexpected(front.error());
  datagram_.assign(front->begin(), front->end());
  datagram_.insert(datagram_.end(), body.begin(), body.end());
  return connection_.send_datagram(datagram_);
}

void Channel::send_own(Bytes head, Bytes body, const session::SharedBody& shared) {
  // First come, first served: nobody passes those who wait for a stream already.
  if (!waiting_.empty() || !try_send_own(head, body, shared)) {
    waiting_.push_back({{head.begin(), head.end()},
                        shared ? shared : std::make_shared<const std::vector<uint8_t>>(body.begin(), body.end())});
  }
}

bool Channel::try_send_own(Bytes head, Bytes body, const session::SharedBody& shared) {
  const auto stream = connection_.open_uni();
  if (!stream) return false;
  const uint8_t type = static_cast<uint8_t>(wire::StreamType::kOwn);
  connection_.write(*stream, {&type, 1});
  connection_.write(*stream, head);
  if (shared) {
    connection_.write_shared(*stream, shared, quic::Connection::Fin::kYes);
  } else {
    connection_.write(*stream, body, quic::Connection::Fin::kYes);
  }
  return true;
}

void Channel::send_waiting() {
  while (!waiting_.empty() && !closed_) {
    const WaitingMessage& first = waiting_.front();
    if (!try_send_own(first.head, *first.body, first.body)) return;
    waiting_.pop_front();
  }
}

void Channel::send_ack(const wire::Ack& ack) { send_control(world_.codec.encode(ack)); }

void Channel::send_cancel(uint64_t message_id) {
  if (features_ & wire::features::kCancel) send_control(world_.codec.encode(wire::Cancel{message_id}));
}

void Channel::close(Code code, std::string_view text) { end(code, text, quic::Connection::CloseMode::kAbort); }

void Channel::close(const Error& error) {
  world_.log.debug("the peer's bytes cannot be read",
                   {{"code", error.code}, {"reason", error.text}, {"detail", error.detail}});
  close(error.code, error.text);
}

void Channel::finish(Code code, std::string_view text) { end(code, text, quic::Connection::CloseMode::kAfterQueued); }

void Channel::end(Code code, std::string_view text, quic::Connection::CloseMode mode) {
  if (std::exchange(closed_, true)) return;
  world_.timers.disarm(heartbeat_timer_);
  connection_.close(code, text, mode);
}

void Channel::arm_heartbeat(Timestamp ping) {
  world_.timers.arm(heartbeat_timer_, std::min(ping, last_heard_ + heartbeat_ * config_.heartbeat_misses_max));
}

void Channel::on_heartbeat(Timestamp now) {
  if (now - last_heard_ >= heartbeat_ * config_.heartbeat_misses_max) {
    world_.metrics.heartbeat_timeouts.add();
    return close(Code::kIdleTimeout,
                 "nothing heard for " + std::to_string(config_.heartbeat_misses_max) + " heartbeat intervals");
  }
  if (connection_.role() == quic::Role::kClient) send_control(world_.codec.encode(wire::Ping{to_ns(now)}));
  arm_heartbeat(now + heartbeat_);
}

}  // namespace godwit::client

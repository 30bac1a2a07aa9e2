#include "client/own_streams.h"

#include <algorithm>

namespace godwit::client {
namespace {

using quic::Connection;

uint64_t body_bytes_of(const wire::StoredMessage& head) { return head.envelope().body_bytes; }

}  // namespace

OwnStreams::~OwnStreams() { metrics_.arriving_bytes.add(-static_cast<int64_t>(reserved_bytes_)); }

OwnStreams::Progress OwnStreams::read(quic::StreamId stream) {
  std::unique_ptr<Arriving>& place = arriving_[stream];
  if (!place) place = std::make_unique<Arriving>();
  Arriving& arriving = *place;
  std::optional<Error> fault = read_head(stream, arriving);
  if (!fault && arriving.head) fault = read_body(stream, arriving);
  if (fault) return give_up(stream, std::move(*fault));
  if (!connection_.finished(stream)) return Unfinished{};
  const std::unique_ptr<Arriving> whole = forget(stream);
  return wire::StoredMessage(whole->head->envelope(), std::move(whole->body));
}

OwnStreams::Broken OwnStreams::give_up(quic::StreamId stream, Error why) {
  const std::unique_ptr<Arriving> broken = forget(stream);
  return {broken ? std::move(broken->head) : std::nullopt, std::move(why)};
}

std::optional<Error> OwnStreams::read_head(quic::StreamId stream, Arriving& arriving) {
  if (arriving.head) return std::nullopt;
  const auto cut = wire::cut_frame(connection_.readable(stream), codec_.limits().envelope_bytes_max);
  if (!cut) return cut.error();
  if (cut->state == wire::FrameCut::State::kNeedMore) {
    if (!connection_.finished(stream)) return std::nullopt;
    return Error{Code::kFrameTruncated, "an own stream ended before its head was whole"};
  }
  if (cut->frame.type != wire::FrameType::kMessageHead) {
    return Error{Code::kFrameUnknown, "an own stream begins with its message's head"};
  }
  const auto envelope = codec_.decode_message_head(cut->frame.payload);
  if (!envelope) return envelope.error();
  arriving.head.emplace(*envelope, Bytes{});
  connection_.consume(stream, cut->bytes, Connection::Credit::kConnection);
  ask_for_room(stream, arriving);
  return std::nullopt;
}

std::optional<Error> OwnStreams::read_body(quic::StreamId stream, Arriving& arriving) {
  const uint64_t total = body_bytes_of(*arriving.head);
  const Bytes bytes = connection_.readable(stream);
  const size_t arrived = arriving.body.size() + bytes.size();
  if (arrived > total) return Error{Code::kFrameMalformed, "more body than announced"};
  // Memory follows what arrived, not what was announced.
  if (arriving.body.capacity() < arrived) arriving.body.reserve(std::min<uint64_t>(total, 4 * arrived));
  arriving.body.insert(arriving.body.end(), bytes.begin(), bytes.end());
  connection_.consume(stream, bytes.size(), Connection::Credit::kConnection);
  if (arrived < total && connection_.finished(stream)) {
    return Error{Code::kFrameTruncated, "less body than announced"};
  }
  return std::nullopt;
}

/// A body larger than the bound has room when it is alone.
bool OwnStreams::fits(const Arriving& arriving) const {
  return reserved_bytes_ == 0 || reserved_bytes_ + body_bytes_of(*arriving.head) <= config_.arriving_bytes_max;
}

void OwnStreams::ask_for_room(quic::StreamId stream, Arriving& arriving) {
  if (waiting_.empty() && fits(arriving)) return give_room(stream, arriving);
  waiting_.push_back(stream);
  metrics_.bodies_held.add();
}

void OwnStreams::give_room(quic::StreamId stream, Arriving& arriving) {
  const uint64_t bytes = body_bytes_of(*arriving.head);
  arriving.has_room = true;
  reserved_bytes_ += bytes;
  metrics_.arriving_bytes.add(static_cast<int64_t>(bytes));
  connection_.allow(stream, bytes);
}

std::unique_ptr<OwnStreams::Arriving> OwnStreams::forget(quic::StreamId stream) {
  const auto found = arriving_.find(stream);
  if (found == arriving_.end()) return nullptr;
  std::unique_ptr<Arriving> gone = std::move(found.value());
  arriving_.erase(found);
  if (!gone->has_room) {
    std::erase(waiting_, stream);
  } else {
    reserved_bytes_ -= body_bytes_of(*gone->head);
    metrics_.arriving_bytes.add(-static_cast<int64_t>(body_bytes_of(*gone->head)));
  }
  while (!waiting_.empty() && fits(*arriving_.at(waiting_.front()))) {
    const quic::StreamId next = waiting_.front();
    waiting_.pop_front();
    give_room(next, *arriving_.at(next));
  }
  return gone;
}

}  // namespace godwit::client

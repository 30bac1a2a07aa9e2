#include "app/spec/local_line.h"

#include "wire/envelope_check.h"

namespace godwit::app {
namespace {

constexpr size_t kDatagramBytesMax =
    1100;  ///< of a message in one packet; the smallest packet that QUIC allows has 1,200

size_t bytes_of(const wire::Envelope& envelope, Bytes body) {
  size_t bytes = envelope.action.size() + body.size();
  for (const wire::Header& header : envelope.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

}  // namespace

LocalLine::StoredAck::StoredAck(const wire::Ack& ack)
    : cumulative(ack.cumulative), ranges(ack.ranges.begin(), ack.ranges.end()) {
  for (const wire::Nack& nack : ack.nacks) refused.push_back({nack.seq, nack.code, std::string(nack.text)});
}

void LocalLine::StoredAck::give_to(session::Session& session) const {
  std::vector<wire::Nack> nacks;
  for (const Refused& one : refused) nacks.push_back({one.seq, one.code, one.text});
  session.receive_ack({cumulative, ranges, nacks});
}

Status LocalLine::End::send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) {
  if (broken_) return fail(Code::kConnectionLost, "the connection is closed");
  if (Status bounded = wire::check_bounds(envelope, limits_); !bounded) return bounded;
  if (Status encoded = wire::check_encoding(envelope); !encoded) return encoded;
  if ((envelope.flags & wire::flags::kUnreliable) != 0 && bytes_of(envelope, body) > kDatagramBytesMax) {
    return fail(Code::kMessageTooLarge, "an unreliable event has to fit in one packet");
  }
  wire::Envelope sent = envelope;
  if (deadlines_ == Deadlines::kLeftOut) sent.deadline_ms = 0;
  queue_.emplace_back(wire::StoredMessage(sent, body));
  return {};
}

bool LocalLine::End::deliver_to(session::Session& session) {
  auto queue = std::exchange(queue_, {});
  for (auto& item : queue) {
    if (auto* message = std::get_if<wire::StoredMessage>(&item)) {
      session.receive(std::move(*message));
    } else if (auto* cancel = std::get_if<wire::Cancel>(&item)) {
      session.receive_cancel(cancel->id);
    } else {
      std::get<StoredAck>(item).give_to(session);
    }
  }
  return !queue.empty();
}

bool LocalLine::deliver(session::Session& one, session::Session& other) {
  const bool there = ends_[0].deliver_to(other);
  const bool back = ends_[1].deliver_to(one);
  return there || back;
}

std::optional<Error> LocalLine::broken() const { return ends_[0].broken() ? ends_[0].broken() : ends_[1].broken(); }

}  // namespace godwit::app

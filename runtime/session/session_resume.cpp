#include <algorithm>

#include "base/planted.h"
#include "session/session.h"
#include "wire/envelope_check.h"

namespace godwit::session {
namespace {

/// What is left of a time that began when the message was kept; nullopt when it is over. 0: without end.
std::optional<uint32_t> left_of(uint32_t given_ms, Timestamp kept_at, Timestamp now) {
  if (given_ms == 0) return 0;
  const Duration left = kept_at + std::chrono::milliseconds(given_ms) - now;
  if (left <= Duration::zero()) return std::nullopt;
  return static_cast<uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

}  // namespace

Status Session::check(const Resync& peer) const {
  if (planted(Fault::kResyncNotChecked)) return {};
  if (overrun_) return fail(Code::kSessionLost, "there was no room for a reply");
  if (peer.handled >= outbox_.next_seq() || peer.known > inbox_.cumulative())
    return fail(Code::kSequenceInvalid, "the peer knows of messages that were never sent");
  if (peer.handled < outbox_.acknowledged())
    return fail(Code::kSessionLost, "the peer forgot messages that it had acknowledged");
  return {};
}

void Session::resume(Link& link, const Resync& peer) {
  link_ = &link;
  // What the last acknowledgements said may have been lost with their connection: refusals go again, and no number is
  // acknowledged before the refusals that it covers.
  if (!planted(Fault::kRefusalsForgotten)) nacks_.resend_beyond(peer.known);
  acknowledged_ = peer.known;
  send_ack();
  progressed_ = active_ = world_.clock.now();
  resend(peer.handled + planted(Fault::kSentAgainTooLittle));
  for (const uint64_t message_id : cancelled_) link_->send_cancel(message_id);
}

void Session::resend(uint64_t beyond) {
  outbox_.each_unsettled(beyond, [this](uint64_t seq, MessageShelf::View kept, const SharedBody& shared) {
    return send_again(seq, std::move(kept), shared);
  });
}

bool Session::send_again(uint64_t seq, MessageShelf::View kept, const SharedBody& shared) {
  wire::Envelope& envelope = kept.envelope;
  envelope.seq = seq;
  const Timestamp now = world_.clock.now();
  const auto deadline_ms = left_of(envelope.deadline_ms, kept.kept_at, now);
  const auto ttl_ms = left_of(envelope.ttl_ms, kept.kept_at, now);
  const bool withdrawn = std::find(cancelled_.begin(), cancelled_.end(), seq) != cancelled_.end();
  const bool late = (!deadline_ms || !ttl_ms) && !planted(Fault::kWorthlessSentAgain);
  const bool expired = late || withdrawn;
  if (expired) {
    envelope.flags |= wire::flags::kWithdrawn;
  } else {
    envelope.deadline_ms = *deadline_ms;
    envelope.ttl_ms = *ttl_ms;
  }
  world_.metrics.messages_resent.add();
  const Status sent = link_->send_message(envelope, expired ? Bytes() : kept.body, expired ? nullptr : shared);
  // It was good enough to be kept: only a connection that ends already refuses it now, and the next one tries again.
  return sent.has_value();
}

/// Without a link nobody looks at what goes out, and later it is too late to say no.
Status Session::check_apart(const wire::Envelope& envelope) const {
  if (Status bounds = wire::check_bounds(envelope, {}); !bounds) return bounds;
  return wire::check_encoding(envelope);
}

void Session::watch_for_stall() {
  progressed_ = world_.clock.now();
  if (!stall_timer_.armed()) world_.timers.arm(stall_timer_, progressed_ + config_.ack_timeout);
}

void Session::on_stall(Timestamp now) {
  if (outbox_.unsettled() == 0) return;
  // A slow network is none of the peer's fault: as long as bytes arrive, what they are part of may still come.
  const uint64_t undelivered = link_ ? link_->undelivered() : 0;
  if (undelivered != std::exchange(undelivered_, undelivered)) progressed_ = now;
  const Timestamp due = progressed_ + config_.ack_timeout * config_.ack_retries;
  if (now < due || !link_) return world_.timers.arm(stall_timer_, now + config_.ack_timeout);
  refuse_peer(Code::kAckTimeout, "nothing was acknowledged for too long");
  world_.timers.arm(stall_timer_, now + config_.ack_timeout);
}

}  // namespace godwit::session

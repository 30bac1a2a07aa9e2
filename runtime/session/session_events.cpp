#include <algorithm>

#include "session/cost.h"
#include "session/session.h"

// What is special about sending events: those that are bound to a response, and those for which there is no room.

namespace godwit::session {
namespace {

wire::Envelope bound_envelope(std::string_view action, const SendOptions& options) {
  return {.after_delta = 1,
          .kind = wire::Kind::kEvent,
          .priority = options.priority,
          .ttl_ms = static_cast<uint32_t>(
              std::clamp<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(options.ttl).count(), 0, UINT32_MAX)),
          .action = action,
          .headers = options.headers};
}

}  // namespace

Status Session::bind(uint64_t request_id, Bound place, Timestamp expires, std::string_view action, Bytes body,
                     const SendOptions& options) {
  const wire::Envelope envelope = bound_envelope(action, options);
  if (body.size() > body_bytes_max_) return fail(Code::kMessageTooLarge, "the body is larger than a message may be");
  // Nobody is there to be told when it goes out.
  if (Status valid = check_apart(envelope); !valid) return valid;
  return bound_.add(request_id, place, expires, {envelope, body});
}

/// Like the response that they belong to they may use twice the bound.
void Session::send_bound(std::vector<wire::StoredMessage> events) {
  for (const wire::StoredMessage& event : events) {
    wire::Envelope envelope = event.envelope();
    const auto sent = submit(envelope, event.body(), Outbox::Allowance::kResponse, {});
    if (!sent) world_.metrics.outbox_overflows[static_cast<size_t>(OverflowOutcome::kRejected)].add();
  }
}

Status Session::send_after(uint64_t request_id, std::string_view action, Bytes body, const SendOptions& options) {
  wire::Envelope envelope = bound_envelope(action, options);
  const auto sent = submit(envelope, body, Outbox::Allowance::kBounded, {}, outbox_.response_to(request_id));
  if (!sent) return tl::unexpected(sent.error());
  return {};
}

/// One whose outcome nobody hears.
Result<uint64_t> Session::submit_event(wire::Envelope& envelope, Bytes body) {
  if (waiting_events() > 0) return overflow(envelope, body, {Code::kQueueFull, "events wait for room already"});
  auto sent = submit(envelope, body, Outbox::Allowance::kBounded, {});
  if (sent || sent.error().code != Code::kQueueFull) return sent;
  return overflow(envelope, body, std::move(sent.error()));
}

Result<uint64_t> Session::overflow(const wire::Envelope& envelope, Bytes body, Error full) {
  if (config_.overflow != Overflow::kDropOldest) return refuse_event(std::move(full));
  if (Status valid = check_apart(envelope); !valid) return tl::unexpected(std::move(valid.error()));
  if (!backlog_)
    backlog_ = std::make_unique<EventBacklog>(config_.outbox_messages_max, config_.outbox_bytes_max, world_.metrics);
  backlog_->push({envelope, body}, world_.clock.now());
  return 0;
}

tl::unexpected<Error> Session::refuse_event(Error full) {
  const bool disconnect = config_.overflow == Overflow::kDisconnect;
  const OverflowOutcome outcome = disconnect ? OverflowOutcome::kClosed : OverflowOutcome::kRejected;
  world_.metrics.outbox_overflows[static_cast<size_t>(outcome)].add();
  if (disconnect) {
    overrun_ = true;
    refuse_peer(Code::kSlowConsumer, "what was sent is not acknowledged");
  }
  return tl::unexpected(std::move(full));
}

/// As far as there is room.
void Session::send_waiting() {
  while (backlog_ && !backlog_->empty()) {
    if (backlog_->front_expired(world_.clock.now())) {
      world_.metrics.messages_dropped[static_cast<size_t>(DropReason::kExpired)].add();
      backlog_->pop();
      continue;
    }
    wire::Envelope envelope = backlog_->front().envelope();
    if (!outbox_.admit(cost_of(envelope, backlog_->front().body().size()), Outbox::Allowance::kBounded)) return;
    // What the connection does not take now, its last one, is lost with it, unless the session keeps its messages.
    if (!submit(envelope, backlog_->front().body(), Outbox::Allowance::kBounded, {})) return;
    backlog_->pop();
  }
}

}  // namespace godwit::session

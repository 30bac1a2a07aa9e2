#include "session/session.h"

#include <algorithm>

#include "base/limits.h"
#include "base/planted.h"
#include "session/cost.h"

namespace godwit::session {
namespace {

// An Ack is one control frame (16 KiB). Words enough for every window that configuration allows in practice; what they
// do not cover is acknowledged when the cumulative number has moved on. Nacks share the room for text: 64 bytes each.
constexpr size_t kAckRangeWordsMax = 256;
constexpr size_t kNacksPerAckMax = 64;

/// Withdrawn requests that a session remembers: of its own, and of the peer's that have not come yet.
constexpr size_t kCancelsMax = 1000;

uint32_t to_ms(Duration duration) {
  return static_cast<uint32_t>(
      std::clamp<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count(), 0, UINT32_MAX));
}

PromiseOutcome outcome_of(wire::Status status) {
  switch (status) {
    case wire::Status::kSuccess: return PromiseOutcome::kOk;
    case wire::Status::kTimeout: return PromiseOutcome::kTimeout;
    default: return PromiseOutcome::kFailure;
  }
}

}  // namespace

// The window is twice the outbox bound: requests stop at the bound, replies may use the other half.
Session::Session(SessionId id, const SessionConfig& config, World world)
    : id_(id),
      config_(config),
      world_(world),
      body_bytes_max_(config.body_bytes_max),
      outbox_(config.outbox_messages_max, config.outbox_bytes_max, world.blocks),
      inbox_(2 * config.holdback_messages_max, config.holdback_messages_max, config.holdback_bytes_max),
      nacks_(2 * config.holdback_messages_max),
      bound_(config.outbox_messages_max, config.outbox_bytes_max, world.metrics),
      active_(world.clock.now()),
      ack_timer_([this](Timestamp) { send_ack(); }),
      stall_timer_([this](Timestamp now) { on_stall(now); }) {}

Session::~Session() { fail_all(Code::kConnectionLost, "the session ended"); }

void Session::limit_body_bytes(uint64_t bytes_max) { body_bytes_max_ = std::min(body_bytes_max_, bytes_max); }

Result<uint64_t> Session::request(wire::Kind kind, std::string_view action, Bytes body, const SendOptions& options,
                                  Waiting waiting) {
  const Duration timeout = timeout_of(options);
  // What waits for room goes first, and there is none.
  if (waiting_events() > 0) return fail(Code::kQueueFull, "events wait for room already");
  wire::Envelope envelope{.kind = kind,
                          .priority = options.priority,
                          .deadline_ms = to_ms(timeout),
                          .ttl_ms = to_ms(options.ttl),
                          .action = action,
                          .headers = options.headers};
  if (options.order == Order::kOrdered) envelope.after_delta = 1;
  return submit_awaited(envelope, body, timeout, waiting, {});
}

Result<uint64_t> Session::send_event(std::string_view action, Bytes body, const SendOptions& options, Waiting waiting) {
  wire::Envelope envelope{.kind = wire::Kind::kEvent,
                          .priority = options.priority,
                          .ttl_ms = to_ms(options.ttl),
                          .action = action,
                          .headers = options.headers};
  if (options.order == Order::kUnreliable) {
    if (waiting) return fail(Code::kReplyNotExpected, "nobody hears what becomes of an unreliable event");
    return submit_unreliable(envelope, body);
  }
  if (options.order == Order::kOrdered) envelope.after_delta = 1;
  if (!waiting) return submit_event(envelope, body);
  const Duration timeout = timeout_of(options);
  envelope.deadline_ms = to_ms(timeout);
  envelope.flags |= wire::flags::kAckSoon;
  if (waiting_events() > 0) return refuse_event({Code::kQueueFull, "events wait for room already"});
  auto sent = submit_awaited(envelope, body, timeout, waiting, {this, outbox_.next_seq()});
  if (!sent && sent.error().code == Code::kQueueFull) return refuse_event(std::move(sent.error()));
  return sent;
}

Result<uint64_t> Session::submit_unreliable(wire::Envelope& envelope, Bytes body) {
  if (!link_) return fail(Code::kConnectionLost, "the session has no connection");
  envelope.flags |= wire::flags::kUnreliable;
  if (Status sent = link_->send_message(envelope, body, nullptr); !sent) return tl::unexpected(std::move(sent.error()));
  count_sent(envelope, body.size());
  return 0;
}

Duration Session::timeout_of(const SendOptions& options) const {
  return options.timeout > Duration::zero() ? options.timeout : config_.request_timeout;
}

Result<uint64_t> Session::submit_awaited(wire::Envelope& envelope, Bytes body, Duration timeout, Waiting waiting,
                                         Waiting on_acknowledged) {
  const uint64_t next = outbox_.next_seq();
  auto promise = world_.promises.create({id_, next, waiting}, world_.clock.now() + timeout);
  if (!promise) return tl::unexpected(std::move(promise.error()));
  promises_.emplace(next, *promise);
  auto sent = submit(envelope, body, Outbox::Allowance::kBounded, on_acknowledged);
  if (!sent) {
    promises_.erase(next);
    world_.promises.take(*promise, PromiseOutcome::kRejected);
  }
  return sent;
}

Status Session::respond(uint64_t request_id, const Reply& reply) {
  if (bound_.empty() || !bound_.wait_for(request_id, world_.clock.now()))
    return send_response(request_id, reply, Order::kUnordered);
  send_bound(bound_.take(request_id, Bound::kBefore));
  // One that cannot be sent is followed by another: what comes after waits for that.
  if (Status sent = send_response(request_id, reply, Order::kOrdered); !sent) return sent;
  send_bound(bound_.take(request_id, Bound::kAfter));
  bound_.drop(request_id);
  return {};
}

Status Session::send_response(uint64_t request_id, const Reply& reply, Order order) {
  wire::Envelope envelope{.after_delta = order == Order::kOrdered ? 1u : 0u,
                          .correlates = request_id,
                          .kind = wire::Kind::kResponse,
                          .status = reply.status,
                          .code = reply.code,
                          .text = reply.text.substr(0, limits::kTextBytesMax),
                          .headers = reply.headers};
  // Nobody waits for its acknowledgement. One that is no part of the order is found by its request.
  const Waiting found_by{nullptr, order == Order::kOrdered ? 0 : request_id};
  auto sent = submit(envelope, reply.body, Outbox::Allowance::kResponse, found_by);
  if (sent) return {};
  if (sent.error().code == Code::kQueueFull) refuse_peer(Code::kQueueFull, "replies are not acknowledged");
  return tl::unexpected(std::move(sent.error()));
}

Result<uint64_t> Session::submit(wire::Envelope& envelope, Bytes body, Outbox::Allowance allowance,
                                 Waiting on_acknowledged, uint64_t behind) {
  auto sent = try_submit(envelope, body, allowance, on_acknowledged, behind);
  world_.owner.on_sent(*this, envelope, sent ? Code::kOk : sent.error().code);
  return sent;
}

Result<uint64_t> Session::try_submit(wire::Envelope& envelope, Bytes body, Outbox::Allowance allowance,
                                     Waiting on_acknowledged, uint64_t behind) {
  if (!link_ && !keeps_) return fail(Code::kConnectionLost, "the session has no connection");
  if (body.size() > body_bytes_max_) {
    return fail(Code::kMessageTooLarge,
                "body of " + std::to_string(body.size()) + " bytes, at most " + std::to_string(body_bytes_max_));
  }
  const size_t cost = cost_of(envelope, body.size());
  if (Status admitted = outbox_.admit(cost, allowance); !admitted) {
    if (planted(Fault::kRefusedTakesNumber)) outbox_.push(0, {});
    return tl::unexpected(std::move(admitted.error()));
  }
  envelope.seq = outbox_.next_seq();
  const bool ordered = envelope.after_delta != 0;
  if (ordered) envelope.after_delta = static_cast<uint32_t>(envelope.seq - (behind ? behind : last_ordered_seq_));
  const SharedBody shared = keeps_ && body.size() >= kSharedBodyBytes
                                ? std::make_shared<const std::vector<uint8_t>>(body.begin(), body.end())
                                : nullptr;
  if (Status sent = link_ ? link_->send_message(envelope, body, shared) : check_apart(envelope); !sent)
    return tl::unexpected(std::move(sent.error()));
  keep_sent(cost, envelope, body, shared, on_acknowledged);
  if (ordered && !behind) last_ordered_seq_ = envelope.seq;
  count_sent(envelope, body.size());
  return envelope.seq;
}

void Session::keep_sent(size_t cost, const wire::Envelope& envelope, Bytes body, const SharedBody& shared,
                        Waiting on_acknowledged) {
  if (outbox_.unsettled() == 0) watch_for_stall();
  if (!keeps_) return outbox_.push(cost, on_acknowledged);
  const bool timed = envelope.deadline_ms != 0 || envelope.ttl_ms != 0;
  outbox_.push(cost, on_acknowledged, envelope, body, shared, timed ? world_.clock.now() : Timestamp());
}

void Session::count_sent(const wire::Envelope& envelope, size_t body_bytes) {
  if (config_.activity == Activity::kMessages) active_ = world_.clock.now();
  const size_t size_class = size_class_of(body_bytes);
  world_.metrics.messages_sent[static_cast<size_t>(envelope.kind)][size_class].add();
  world_.metrics.message_bytes_sent[size_class].add(body_bytes);
}

void Session::receive(const wire::Envelope& envelope, Bytes body) { arrive({envelope, body}); }

void Session::receive(wire::StoredMessage message) { arrive({message.envelope(), message.body(), &message}); }

void Session::receive_refused(const wire::Envelope& envelope, Code code, std::string_view text) {
  const uint64_t seq = envelope.seq;
  const auto arrival = seq == 0 ? std::nullopt : take_number(envelope);
  if (!arrival) return;
  if (envelope.kind == wire::Kind::kResponse) settle(envelope.correlates, {wire::Status::kFailure, code, text, {}, {}});
  // What follows it still waits for what goes before it.
  if (*arrival == Inbox::Arrival::kHold) hold({envelope, Bytes{}});
  refuse(seq, code, text);
  if (*arrival == Inbox::Arrival::kRelease) release_followers(seq);
}

void Session::arrive(Incoming message) {
  const wire::Envelope& envelope = message.envelope;
  const uint64_t seq = envelope.seq;
  count_received(envelope, message.body.size());
  if (envelope.flags & wire::flags::kWithdrawn)
    return receive_refused(envelope, Code::kMessageExpired, "its sender gave it up");
  if (seq == 0) {
    const bool unreliable = (envelope.flags & wire::flags::kUnreliable) != 0;
    if (unreliable && envelope.kind == wire::Kind::kEvent) return release(message);
    return refuse_peer(Code::kSequenceInvalid, "no number, and not an unreliable event");
  }
  const auto arrival = take_number(envelope);
  if (!arrival) return;
  if (*arrival == Inbox::Arrival::kHold) {
    return hold(message.stored ? std::move(*message.stored) : wire::StoredMessage(envelope, message.body));
  }
  release(message);
  release_followers(seq);
}

std::optional<Inbox::Arrival> Session::take_number(const wire::Envelope& envelope) {
  nacks_.arrived(envelope.seq);
  const auto arrival = inbox_.arrive(envelope.seq, envelope.after_delta);
  if (!arrival) {
    refuse_peer(arrival.error().code, arrival.error().text);
    return std::nullopt;
  }
  if (*arrival != Inbox::Arrival::kDuplicate) return *arrival;
  world_.metrics.duplicates_dropped.add();
  ack_now_ = true;  // the peer missed our acknowledgement
  want_turn();
  return std::nullopt;
}

void Session::hold(wire::StoredMessage message) {
  if (Status held = inbox_.hold(std::move(message)); !held) {
    refuse_peer(held.error().code, "more messages run ahead than agreed");
  }
}

void Session::release_followers(uint64_t seq) {
  if (inbox_.held() == 0) return;
  std::vector<uint64_t> released{seq};
  while (!released.empty()) {
    if (auto next = inbox_.next_released(released.back())) {
      const uint64_t follower = next->envelope().seq;
      released.push_back(follower);
      if (!inbox_.is_handled(follower)) release({next->envelope(), next->body(), &*next});
    } else {
      released.pop_back();
    }
  }
}

void Session::count_received(const wire::Envelope& envelope, size_t body_bytes) {
  active_ = world_.clock.now();
  const size_t size_class = size_class_of(body_bytes);
  world_.metrics.messages_received[static_cast<size_t>(envelope.kind)][size_class].add();
  world_.metrics.message_bytes_received[size_class].add(body_bytes);
}

void Session::release(Incoming message) {
  if (message.envelope.flags & wire::flags::kAckSoon) ack_soon_ = std::max(ack_soon_, message.envelope.seq);
  if (message.envelope.kind == wire::Kind::kResponse) return on_response(message);
  if (was_cancelled(message.envelope)) return handled(message.envelope.seq);
  if (planted(Fault::kAckBeforeHandling)) handled(message.envelope.seq);
  world_.owner.on_message(*this, message);
}

void Session::on_response(const Incoming& message) {
  const wire::Envelope& envelope = message.envelope;
  handled(envelope.seq);
  const Reply reply{envelope.status, envelope.code, envelope.text, envelope.headers, message.body};
  if (!settle(envelope.correlates, reply)) world_.metrics.late_replies.add();
  if (backlog_) send_waiting();
}

bool Session::settle(uint64_t message_id, const Reply& reply) {
  outbox_.settle(message_id, reply);  // an answer proves that the message arrived
  return settle_promise(message_id, reply);
}

bool Session::settle_promise(uint64_t message_id, const Reply& reply) {
  const auto found = promises_.find(message_id);
  if (found == promises_.end()) return false;
  const PromiseId promise_id = found->second;
  promises_.erase(found);
  if (const auto promise = world_.promises.take(promise_id, outcome_of(reply.status))) promise->waiting.settle(reply);
  return true;
}

void Session::receive_ack(const wire::Ack& ack) {
  world_.metrics.acks_received.add();
  const size_t unsettled = outbox_.unsettled();
  for (const wire::Nack& nack : ack.nacks) settle(nack.seq, {wire::Status::kFailure, nack.code, nack.text, {}, {}});
  if (Status known = outbox_.acknowledge(ack.cumulative, ack.ranges); !known) {
    refuse_peer(known.error().code, known.error().text);
  }
  if (outbox_.unsettled() != unsettled) progressed_ = world_.clock.now();
  if (backlog_) send_waiting();
}

bool Session::cancel(uint64_t message_id) {
  if (!promises_.contains(message_id)) return false;
  if (link_) link_->send_cancel(message_id);
  if (keeps_) cancelled_.push_back(message_id);
  if (cancelled_.size() > kCancelsMax) cancelled_.erase(cancelled_.begin());
  return settle_promise(message_id, {wire::Status::kFailure, Code::kCancelled, "the caller withdrew it", {}, {}});
}

void Session::receive_cancel(uint64_t message_id) {
  if (world_.owner.on_cancel(*this, message_id) || inbox_.was_released(message_id)) return;
  early_cancels_.insert(message_id);
  if (early_cancels_.size() > kCancelsMax) early_cancels_.erase(early_cancels_.begin());
}

bool Session::was_cancelled(const wire::Envelope& envelope) {
  if (early_cancels_.empty() || early_cancels_.erase(envelope.message_id()) == 0) return false;
  if (!wire::is_request(envelope.kind)) return false;
  world_.metrics.messages_dropped[static_cast<size_t>(DropReason::kCancelled)].add();
  return true;
}

void Session::handled(uint64_t seq) {
  if (seq == 0) return;
  inbox_.handled(seq);
  want_turn();
}

void Session::refuse(uint64_t seq, Code code, std::string_view text) {
  if (seq == 0) return;
  nacks_.add(seq, code, text);
  ack_now_ = true;
  handled(seq);
}

void Session::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  world_.owner.on_turn_wanted(*this);
}

void Session::end_turn() {
  turn_wanted_ = false;
  const uint32_t waiting = inbox_.unacknowledged();
  const bool soon = ack_soon_ > acknowledged_ && waiting > 0;
  if (ack_now_ || soon || waiting >= config_.ack_every) return send_ack();
  if (waiting > 0 && !ack_timer_.armed()) world_.timers.arm(ack_timer_, world_.clock.now() + config_.ack_delay);
}

void Session::send_ack() {
  world_.timers.disarm(ack_timer_);
  if (!link_) return;
  ack_now_ = false;
  // A number that is acknowledged without a nack was handled: nacks go before the cumulative number that covers them.
  std::vector<wire::Nack> nacks = nacks_.take(kNacksPerAckMax);
  for (; nacks_.any_unsent(); nacks = nacks_.take(kNacksPerAckMax)) link_->send_ack({acknowledged_, {}, nacks});
  std::vector<uint64_t> ranges;
  inbox_.ranges(ranges, kAckRangeWordsMax);
  acknowledged_ = inbox_.cumulative();
  link_->send_ack({acknowledged_, ranges, nacks});
  nacks_.shorten_sent(keeps_);
  inbox_.acknowledged();
  world_.metrics.acks_sent.add();
}

void Session::refuse_peer(Code code, std::string_view text) {
  if (link_) return link_->close(code, text);
  overrun_ = true;
}

void Session::fail_all(Code code, std::string_view text) {
  world_.timers.disarm(ack_timer_);
  world_.timers.disarm(stall_timer_);
  const Reply reply{wire::Status::kFailure, code, text, {}, {}};
  const auto promises = std::exchange(promises_, {});
  outbox_.fail_all(reply);
  bound_.clear();
  backlog_.reset();
  for (const auto& [message_id, promise_id] : promises) {
    if (const auto promise = world_.promises.take(promise_id, PromiseOutcome::kCancelled))
      promise->waiting.settle(reply);
  }
}

void Session::promise_expired(const Promise& promise) {
  promises_.erase(promise.message_id);
  promise.waiting.settle({wire::Status::kTimeout, Code::kDeadlineExceeded, "no answer came in time", {}, {}});
}

}  // namespace godwit::session

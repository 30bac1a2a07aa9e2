#include "peer.h"

#include <algorithm>

namespace godwit::model {
namespace {

/// Promises end within a step of their wheel.
constexpr Duration kLatest = 40ms;

template <typename T>
T take_any(std::vector<T>& from, Prng& random) {
  std::swap(from[random.below(from.size())], from.back());
  T taken = std::move(from.back());
  from.pop_back();
  return taken;
}

bool covers(uint64_t number, uint64_t cumulative, const std::vector<uint64_t>& ranges) {
  if (number <= cumulative) return true;
  if (number < cumulative + 2) return false;
  const uint64_t bit = number - cumulative - 2;
  return bit / 64 < ranges.size() && (ranges[bit / 64] >> (bit % 64) & 1) != 0;
}

std::string named(uint64_t number, std::string_view what) {
  return "number " + std::to_string(number) + ": " + std::string(what);
}

}  // namespace

session::SendOptions Peer::options(Prng& random) const {
  return {.timeout = std::chrono::milliseconds(random.between(1, 20'000)),
          .ttl = random.chance(0.2) ? std::chrono::milliseconds(random.between(1, 5'000)) : Duration{},
          .order = random.chance(0.7) ? session::Order::kOrdered : session::Order::kUnordered};
}

void Peer::send_event(Prng& random) {
  session::SendOptions chosen = options(random);
  if (random.chance(0.05)) {
    chosen.order = session::Order::kUnreliable;
    const auto sent = session_.send_event("e", {}, chosen, {});
    return expect(sent.has_value() == attached(), "an unreliable event goes when there is a connection");
  }
  const bool awaited = random.chance(0.7);
  const uint64_t next = sent_.last() + 1;
  const auto sent = session_.send_event("e", {}, chosen, awaited ? session::Waiting{this, next} : session::Waiting{});
  note(sent, chosen, awaited, true);
}

void Peer::send_request(Prng& random) {
  const session::SendOptions chosen = options(random);
  const auto sent = session_.request(wire::Kind::kCommand, "r", {}, chosen, {this, sent_.last() + 1});
  note(sent, chosen, true, false);
}

/// Accepted exactly when there is room, with the next number; a refusal leaves no trace.
void Peer::note(const Result<uint64_t>& sent, const session::SendOptions& options, bool awaited, bool event) {
  const bool room = sent_.last() - sent_.known() < messages_max_;
  expect(sent.has_value() == room, "accepted exactly when there is room");
  if (!sent) return expect(sent.error().code == Code::kQueueFull, "refused as full");
  const uint64_t number = sent_.send(options.order == session::Order::kOrdered);
  expect(*sent == number, named(number, "the session took another number"));
  const auto ms = [](Duration time) { return static_cast<uint32_t>(time / 1ms); };
  uint32_t worth_ms = ms(options.ttl);
  if (awaited && (worth_ms == 0 || ms(options.timeout) < worth_ms)) worth_ms = ms(options.timeout);
  more_[number] = {.kept_at = time_.clock.now(), .worth_ms = worth_ms};
  if (!awaited) return;
  waits_[number] = {.number = number, .event = event, .deadline = time_.clock.now() + options.timeout};
  ++open_waits_;
}

void Peer::deliver_message(Prng& random) {
  if (on_their_way_.empty()) return;
  delivered_.push_back(take_any(on_their_way_, random));
  other_->take(delivered_.back());
}

void Peer::deliver_again(Prng& random) {
  if (!delivered_.empty()) other_->take(delivered_[random.below(delivered_.size())]);
}

void Peer::take(const wire::StoredMessage& message) {
  const wire::Envelope& envelope = message.envelope();
  Conversation& theirs = other_->sent_;
  std::vector<uint64_t> expected;
  bool answer = false;
  const uint64_t late = metrics_.late_replies.value();
  Wait* waiting = nullptr;
  if (envelope.seq != 0) {
    const bool first = !theirs.at(envelope.seq).arrived;
    answer = first && envelope.kind == wire::Kind::kResponse;
    if (first && (envelope.flags & wire::flags::kWithdrawn) != 0) {
      theirs.end(envelope.seq, Conversation::Fate::kRefused, Code::kMessageExpired);
    } else if (answer) {
      theirs.end(envelope.seq, Conversation::Fate::kHandled);
      waiting = find_open(envelope.correlates, false);
      tell(envelope.correlates);
    }
    expected = theirs.arrive(envelope.seq);
  }
  handed_.clear();
  session_.receive(envelope, message.body());
  expect(handed_ == expected, named(envelope.seq, "handed over is not what the model says"));
  if (!answer) return;
  expect(waiting == nullptr || !waiting->open, named(envelope.correlates, "an answer reached nobody"));
  expect(metrics_.late_replies.value() - late == (waiting ? 0u : 1u), "late answers are counted");
}

void Peer::on_message(session::Session&, session::Incoming message) {
  if (message.envelope.seq == 0) return;
  handed_.push_back(message.envelope.seq);
  ready_.emplace_back(message.envelope, message.body);
}

void Peer::handle(Prng& random) {
  if (ready_.empty()) return;
  const wire::StoredMessage message = take_any(ready_, random);
  const uint64_t number = message.envelope().seq;
  if (random.chance(0.2)) {
    const Code code = random.chance(0.5) ? Code::kHandlerNotFound : Code::kDispatcherFull;
    other_->sent_.end(number, Conversation::Fate::kRefused, code);
    return session_.refuse(number, code, "no");
  }
  other_->sent_.end(number, Conversation::Fate::kHandled);
  session_.handled(number);
  if (message.envelope().kind != wire::Kind::kEvent) to_answer_.push_back(number);
}

void Peer::answer(Prng& random) {
  if (to_answer_.empty()) return;
  const uint64_t request = take_any(to_answer_, random);
  const Code code = random.chance(0.3) ? Code::kHandlerFailed : Code::kOk;
  const bool room = sent_.last() - sent_.known() < 2 * messages_max_;
  const auto status = code == Code::kOk ? wire::Status::kSuccess : wire::Status::kFailure;
  const std::string body = std::to_string(request);
  const bool was_attached = attached();
  const Status sent = session_.respond(request, {status, code, {}, {}, as_bytes(body)});
  expect(sent.has_value() == room, "an answer has room for twice as many");
  if (!room) {
    overrun_ |= !was_attached;
    return;
  }
  more_[sent_.send(false)] = {};
  answered_[request] = code;
}

void Peer::cancel(Prng& random) {
  if (waits_.empty()) return;
  const auto any = waits_.lower_bound(random.between(1, sent_.last()));
  if (any == waits_.end()) return;
  const bool open = any->second.open;
  any->second.cancelled |= open;
  expect(session_.cancel(any->first) == open, named(any->first, "only who waits can withdraw"));
  expect(!any->second.open, "and hears so at once");
}

/// Nothing that was handed over is taken back here.
bool Peer::on_cancel(session::Session&, uint64_t message_id) {
  const auto wait = other_->waits_.find(message_id);
  expect(wait != other_->waits_.end() && wait->second.cancelled, named(message_id, "nobody withdrew it"));
  return false;
}

/// It passes whatever is on its way.
void Peer::send_cancel(uint64_t message_id) {
  Conversation::Message& message = sent_.at(message_id);
  message.cancelled |= !message.handed_over && !waits_.at(message_id).event;
  other_->session_.receive_cancel(message_id);
}

Status Peer::send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) {
  on_their_way_.emplace_back(envelope, body);
  return {};
}

/// P1, as the acknowledgement leaves.
void Peer::send_ack(const wire::Ack& ack) {
  const Conversation& theirs = other_->sent_;
  SentAck copy{ack.cumulative, {ack.ranges.begin(), ack.ranges.end()}, {ack.nacks.begin(), ack.nacks.end()}};
  for (wire::Nack& nack : copy.nacks) nack.text = {};
  for (uint64_t number = other_->sent_.known() + 1; number <= theirs.last(); ++number) {
    if (covers(number, copy.cumulative, copy.ranges))
      expect(theirs.at(number).fate != Conversation::Fate::kOpen, named(number, "acknowledged before it was handled"));
  }
  acks_.push_back(std::move(copy));
}

void Peer::deliver_ack() {
  if (acks_.empty()) return;
  const SentAck ack = std::move(acks_.front());
  acks_.pop_front();
  Conversation& theirs = other_->sent_;
  std::vector<uint64_t> covered;
  for (uint64_t number = theirs.known() + 1; number <= theirs.last(); ++number) {
    const bool refused =
        std::any_of(ack.nacks.begin(), ack.nacks.end(), [&](const auto& nack) { return nack.seq == number; });
    if (!refused && !covers(number, ack.cumulative, ack.ranges)) continue;
    check_covered(number, ack);
    covered.push_back(number);
    theirs.at(number).told = true;
  }
  other_->session_.receive_ack({ack.cumulative, ack.ranges, ack.nacks});
  for (const uint64_t number : covered)
    expect(!other_->find_open(number, true), named(number, "its sender does not know of the acknowledgement"));
}

/// What was refused is acknowledged together with its refusal, or after it.
void Peer::check_covered(uint64_t number, const SentAck& ack) const {
  const Conversation::Message& message = other_->sent_.at(number);
  if (message.told || message.fate != Conversation::Fate::kRefused) return;
  const auto nack =
      std::find_if(ack.nacks.begin(), ack.nacks.end(), [&](const auto& each) { return each.seq == number; });
  expect(nack != ack.nacks.end(), named(number, "a refusal is acknowledged as handled"));
  expect(nack->code == message.refusal, named(number, "refused for another reason"));
}

Peer::Wait* Peer::find_open(uint64_t number, bool event) {
  const auto found = waits_.find(number);
  return found != waits_.end() && found->second.open && found->second.event == event ? &found->second : nullptr;
}

/// Whoever waits hears one word, and it is true.
void Peer::on_reply(uint64_t cookie, const session::Reply& reply) {
  Wait& wait = waits_.at(cookie);
  expect(std::exchange(wait.open, false), named(cookie, "settled twice"));
  --open_waits_;
  if (reply.code == Code::kCancelled) return expect(wait.cancelled, named(cookie, "nobody withdrew it"));
  if (reply.code == ended_ && ended_ != Code::kOk) return;
  if (reply.status == wire::Status::kTimeout)
    return expect(time_.clock.now() >= wait.deadline, named(cookie, "too early"));
  const Conversation::Message& message = sent_.at(cookie);
  if (message.fate == Conversation::Fate::kRefused)
    return expect(reply.code == message.refusal, named(cookie, "refused for another reason"));
  expect(message.fate == Conversation::Fate::kHandled, named(cookie, "an outcome of what was not handled"));
  if (wait.event)
    return expect(reply.status == wire::Status::kSuccess, named(cookie, "a handled event did not succeed"));
  expect(as_text(reply.body) == std::to_string(cookie), named(cookie, "the answer to another request"));
  expect(reply.code == other_->answered_.at(cookie), named(cookie, "another code than its handler gave"));
  expect((reply.code == Code::kOk) == (reply.status == wire::Status::kSuccess),
         named(cookie, "status and code disagree"));
}

void Peer::end_turn() {
  if (std::exchange(turn_wanted_, false)) session_.end_turn();
}

void Peer::lose_connection() {
  session_.detach();
  on_their_way_.clear();
  delivered_.clear();
  acks_.clear();
  closed_ = Code::kOk;
}

bool Peer::meet(Peer& a, Peer& b) {
  const session::Resync of_a = a.session_.resync(), of_b = b.session_.resync();
  expect(of_a.handled == b.sent_.ended() && of_b.handled == a.sent_.ended(), "P6: both tell exactly what they have");
  const Status known_by_b = b.session_.check(of_a), known_by_a = a.session_.check(of_b);
  expect(known_by_b.has_value() == !b.overrun_ && known_by_a.has_value() == !a.overrun_, "lost only with a word");
  if (!known_by_a || !known_by_b) return false;
  b.session_.resume(b, of_a);
  a.session_.resume(a, of_b);
  b.check_resent(of_a.handled);
  a.check_resent(of_b.handled);
  return true;
}

bool Peer::worthless(uint64_t number) const {
  const Sent& sent = more_.at(number);
  return sent.worth_ms != 0 && time_.clock.now() >= sent.kept_at + std::chrono::milliseconds(sent.worth_ms);
}

/// Exactly what the other side lacks and nobody knows the outcome of, in order; what is worth nothing any more as a
/// number alone.
void Peer::check_resent(uint64_t other_has) const {
  size_t at = 0;
  for (uint64_t number = std::max(other_has, sent_.known()) + 1; number <= sent_.last(); ++number) {
    if (sent_.at(number).told) continue;
    expect(at < on_their_way_.size() && on_their_way_[at].envelope().seq == number,
           named(number, "was not sent again"));
    const bool withdrawn = (on_their_way_[at++].envelope().flags & wire::flags::kWithdrawn) != 0;
    const auto wait = waits_.find(number);
    const bool cancelled = wait != waits_.end() && wait->second.cancelled;
    expect(withdrawn == (cancelled || worthless(number)), named(number, "withdrawn exactly when it is worth nothing"));
  }
  expect(at == on_their_way_.size(), "more was sent again than the other side lacks");
}

void Peer::end(Code code) {
  ended_ = code;
  session_.fail_all(code, "over");
  expect(open_waits_ == 0 && session_.pending_replies() == 0, "P8: somebody was not told of the end");
}

void Peer::check() const {
  const session::Outbox& outbox = session_.outbox();
  expect(outbox.next_seq() == sent_.last() + 1, "the next number");
  expect(outbox.acknowledged() == sent_.known(), "what is known to have ended");
  expect(outbox.unsettled() == sent_.untold(), "what is kept");
  expect(outbox.messages() <= 2 * messages_max_, "P7: kept within the bound");
  expect(session_.inbox().cumulative() == other_->sent_.ended(), "what has ended here");
  expect(session_.inbox().held() == other_->sent_.held(), "what is held back");
  expect(session_.pending_replies() == open_waits_, "who waits");
  if (open_waits_ == 0) return;
  for (auto wait = waits_.lower_bound(sent_.known() > 200 ? sent_.known() - 200 : 0); wait != waits_.end(); ++wait)
    expect(!wait->second.open || time_.clock.now() <= wait->second.deadline + kLatest,
           named(wait->first, "waits beyond its deadline"));
}

void Peer::check_settled() const {
  expect(open_waits_ == 0, "P8: somebody waits without end");
  expect(session_.outbox().unsettled() == 0 && session_.outbox().bytes() == 0, "P7: a charge was not returned");
  expect(blocks_.taken() == 0, "P7: memory was not returned");
  expect(session_.inbox().held() == 0, "something is held back for ever");
}

bool Peer::settle_some(Prng& random) {
  const bool any = !on_their_way_.empty() || !acks_.empty() || !ready_.empty() || !to_answer_.empty() || turn_wanted_;
  while (!on_their_way_.empty()) deliver_message(random);
  while (!ready_.empty()) handle(random);
  while (!to_answer_.empty() && closed_ == Code::kOk) answer(random);
  end_turn();
  while (!acks_.empty()) deliver_ack();
  return any;
}

}  // namespace godwit::model

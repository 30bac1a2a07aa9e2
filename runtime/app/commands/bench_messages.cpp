#include "app/commands/bench_messages.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace godwit::app {
namespace {

/// After a message was refused on the spot (a full queue), so that a refusing side is not hammered.
constexpr Duration kRestAfterRefusal = 5ms;

uint64_t messages_max(const BenchOptions& options) {
  const uint64_t count = options.count.value_or(std::numeric_limits<uint64_t>::max());
  if (options.rate_per_s <= 0 || !options.duration) return count;
  const double due = std::chrono::duration<double>(*options.duration).count() * options.rate_per_s;
  return std::min(count, static_cast<uint64_t>(std::ceil(due)));
}

}  // namespace

BenchMessages::BenchMessages(const BenchOptions& options, BenchTally& tally)
    : BenchLoad(options, tally),
      connections_(options.clients),
      free_(size_t{options.clients} * options.in_flight),
      body_(options.size_bytes),
      limit_(messages_max(options)),
      send_timer_([](Timestamp) {}),
      end_timer_([this](Timestamp) { phase_ == Phase::kSending ? drain() : give_up(); }) {
  for (size_t i = 0; i < body_.size(); ++i) body_[i] = static_cast<uint8_t>('a' + i % 26);
}

void BenchMessages::begin() {
  for (uint32_t i = 0; i < connections_.size(); ++i) dial(i, i);
}

void BenchMessages::on_dialed(uint64_t connection, client::PeerId peer, const client::Entry&) {
  connections_[connection] = {peer, loop().session(peer)};
  if (++connected_ == connections_.size()) start_sending();
}

void BenchMessages::on_dial_failed(uint64_t, const Error& why) {
  tally_.fail_unsent(why.code);
  finish(why);
}

// Its messages in flight are told first. The loss itself is a failure of its own, because a server that drops idle
// connections is no server that passed.
void BenchMessages::on_disconnected(uint64_t connection, client::PeerId, const Error& why, session::SessionId kept) {
  loop().give_up(kept, why);
  if (finished()) return;
  if (phase_ == Phase::kConnecting) return finish(why);
  connections_[connection].session = nullptr;
  tally_.fail_unsent(why.code);
  if (--connected_ == 0) finish(why);
}

void BenchMessages::start_sending() {
  const auto clients = static_cast<uint32_t>(connections_.size());
  for (uint32_t i = 0; i < free_.bound(); ++i) {
    slots_.push_back({.connection = i % clients});
    set_free(i);
  }
  phase_ = Phase::kSending;
  start_clock();
  timers().arm(end_timer_, end_time());
}

void BenchMessages::on_turn() {
  if (phase_ == Phase::kConnecting || finished()) return;
  pump();
  if (begun_ == limit_ && phase_ == Phase::kSending) drain();
  if (phase_ == Phase::kDraining && in_flight_ == 0 && begun_ >= limit_) finish();
}

// Everything begun in one turn leaves with the same packets: one look at the clock serves it all.
void BenchMessages::pump() {
  const Timestamp at = now();
  if (!send_timer_.armed()) {
    for (const uint32_t slot : refused_) set_free(slot);
    refused_.clear();
  }
  const uint64_t due_now = due(at);
  while (begun_ < due_now && !free_.empty()) {
    const uint32_t slot = free_.pop();
    if (connections_[slots_[slot].connection].session) send(slot, options_.rate_per_s > 0 ? due_time(begun_) : at);
  }
  if (!refused_.empty()) {
    if (!send_timer_.armed()) timers().arm(send_timer_, at + kRestAfterRefusal);
  } else if (options_.rate_per_s > 0 && begun_ < limit_ && begun_ >= due_now) {
    timers().arm(send_timer_, due_time(begun_));
  }
}

uint64_t BenchMessages::due(Timestamp at) const {
  if (options_.rate_per_s <= 0) return limit_;
  const double elapsed_s = std::chrono::duration<double>(at - started()).count();
  return std::min(limit_, static_cast<uint64_t>(elapsed_s * options_.rate_per_s) + 1);
}

Timestamp BenchMessages::due_time(uint64_t number) const {
  const double after_s = static_cast<double>(number) / options_.rate_per_s;
  return started() + std::chrono::ceil<Duration>(std::chrono::duration<double>(after_s));
}

void BenchMessages::send(uint32_t index, Timestamp began) {
  Slot& slot = slots_[index];
  slot.began = began;
  slot.number = begun_++;
  tally_.sent();
  ++in_flight_;
  if (const auto sent = submit(slot, index); !sent) {
    --in_flight_;
    tally_.fail(sent.error().code);
    refused_.push_back(index);
  }
}

// The number makes each body its own, so that no answer can pass for another's.
Result<uint64_t> BenchMessages::submit(Slot& slot, uint32_t index) {
  if (!body_.empty()) std::memcpy(body_.data(), &slot.number, std::min(body_.size(), sizeof(slot.number)));
  session::Session& session = *connections_[slot.connection].session;
  const session::SendOptions send_options{.timeout = options_.connect.timeout};
  if (options_.pattern == BenchPattern::kEvent)
    return session.send_event(options_.action, body_, send_options, {this, index});
  return session.request(options_.kind, options_.action, body_, send_options, {this, index});
}

void BenchMessages::on_reply(uint64_t index, const session::Reply& reply) {
  if (finished()) return;
  const Slot& slot = slots_[index];
  --in_flight_;
  set_free(static_cast<uint32_t>(index));
  if (reply.status != wire::Status::kSuccess) return tally_.fail(reply.code);
  if (options_.pattern == BenchPattern::kRequest && !options_.no_verify && !right(slot, reply.body))
    return tally_.fail(Code::kAnswerWrong);
  tally_.succeed(now() - slot.began);
}

bool BenchMessages::right(const Slot& slot, Bytes body) const {
  if (body.size() != body_.size()) return false;
  if (body.empty()) return true;
  const size_t numbered = std::min(body.size(), sizeof(slot.number));
  return std::memcmp(body.data(), &slot.number, numbered) == 0 &&
         std::equal(body.begin() + static_cast<ptrdiff_t>(numbered), body.end(),
                    body_.begin() + static_cast<ptrdiff_t>(numbered));
}

// With a rate, what was due by now is still sent: leaving it out would leave out the slowest.
void BenchMessages::drain() {
  if (options_.rate_per_s <= 0) limit_ = begun_;
  phase_ = Phase::kDraining;
  timers().arm(end_timer_, now() + options_.connect.timeout);
}

void BenchMessages::give_up() {
  for (; in_flight_ > 0; --in_flight_) tally_.fail(Code::kDeadlineExceeded);
  tally_.fail_unsent(Code::kDeadlineExceeded, limit_ - begun_);
  finish();
}

void BenchMessages::interrupt() {
  if (phase_ != Phase::kSending) return finish();
  limit_ = begun_;
  drain();
}

}  // namespace godwit::app

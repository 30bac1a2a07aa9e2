#include "app/commands/bench_sessions.h"

#include <limits>

namespace godwit::app {
namespace {

uint64_t handshakes_max(const BenchOptions& options) {
  if (options.pattern == BenchPattern::kIdle) return options.clients;
  return options.count.value_or(std::numeric_limits<uint64_t>::max());
}

}  // namespace

BenchSessions::BenchSessions(const BenchOptions& options, BenchTally& tally)
    : BenchLoad(options, tally),
      began_(options.in_flight),
      limit_(handshakes_max(options)),
      end_timer_([this](Timestamp) { stop_dialing(); }) {
  for (uint64_t slot = 0; slot < began_.size(); ++slot) free_.push_back(slot);
}

void BenchSessions::begin() {
  start_clock();
  timers().arm(end_timer_, idle() ? kNever : end_time());
}

void BenchSessions::on_turn() {
  if (finished() || started() == Timestamp{}) return;
  while (begun_ < limit_ && !free_.empty()) {
    const uint64_t slot = free_.back();
    free_.pop_back();
    began_[slot] = now();
    ++begun_;
    tally_.sent();
    dial(slot, begun_);
  }
  if (begun_ < limit_ || free_.size() < began_.size()) return;
  // All are up, or failed: sessions are held, handshakes are done.
  if (!idle() || ending_ || tally_.ok() == 0) return finish();
  if (end_timer_.armed()) return;
  start_clock();
  timers().arm(end_timer_, options_.duration ? end_time() : now());
}

void BenchSessions::on_dialed(uint64_t slot, client::PeerId peer, const client::Entry&) {
  tally_.succeed(now() - began_[slot]);
  free_.push_back(slot);
  if (!idle()) loop().connection(peer)->close(Code::kPeerClosed, "goodbye");
}

void BenchSessions::on_dial_failed(uint64_t slot, const Error& why) {
  tally_.fail(why.code);
  free_.push_back(slot);
}

void BenchSessions::on_disconnected(uint64_t, client::PeerId, const Error& why, session::SessionId) {
  if (idle() && !finished()) tally_.revoke(why.code);
}

void BenchSessions::stop_dialing() {
  if (ending_ || idle()) finish();
  ending_ = true;
  limit_ = begun_;
}

}  // namespace godwit::app

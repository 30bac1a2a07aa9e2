#include "session/promise_table.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace godwit::session {

PromiseTable::PromiseTable(size_t bound, const Clock& clock, TimerHeap& timers, WorkerMetrics& metrics, Owner& owner,
                           double warn_ratio)
    : bound_(bound),
      warn_at_(static_cast<size_t>(std::ceil(static_cast<double>(bound) * warn_ratio))),
      calm_at_(warn_at_ - std::min(warn_at_, bound / 10)),
      clock_(clock),
      timers_(timers),
      metrics_(metrics),
      owner_(owner),
      timer_([this](Timestamp now) { on_timer(now); }) {}

Result<PromiseId> PromiseTable::create(const Promise& promise, Timestamp deadline) {
  if (size_ >= bound_) {
    metrics_.promises_finished[static_cast<size_t>(PromiseOutcome::kRejected)].add();
    return fail(Code::kPromiseLimit);
  }
  uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].promise = promise;
  slots_[slot].used = true;
  ++size_;
  metrics_.promises.add(1);
  metrics_.promises_created.add();
  if (deadline != kNever) wheel_.arm(slot, deadline, clock_.now());
  if (!timer_.armed()) timers_.arm(timer_, wheel_.next());
  if (!warned_ && size_ >= warn_at_) {
    warned_ = true;
    owner_.on_promises_high(size_, bound_);
  }
  return PromiseId{slot, slots_[slot].generation};
}

std::optional<Promise> PromiseTable::take(PromiseId id, PromiseOutcome outcome) {
  if (id.slot >= slots_.size()) return std::nullopt;
  Slot& slot = slots_[id.slot];
  if (!slot.used || slot.generation != id.generation) return std::nullopt;
  wheel_.disarm(id.slot);
  const Promise promise = slot.promise;
  release(id.slot, outcome);
  return promise;
}

void PromiseTable::release(uint32_t slot, PromiseOutcome outcome) {
  slots_[slot].used = false;
  if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
  free_.push_back(slot);
  --size_;
  metrics_.promises.add(-1);
  metrics_.promises_finished[static_cast<size_t>(outcome)].add();
  if (warned_ && size_ < calm_at_) warned_ = false;
}

void PromiseTable::on_timer(Timestamp now) {
  std::vector<uint32_t> due;
  wheel_.advance(now, due);
  std::vector<PromiseId> expired;
  for (const uint32_t slot : due) expired.push_back({slot, slots_[slot].generation});
  // Telling one waiter may settle others that are due in this very tick.
  for (const PromiseId id : expired) {
    if (const auto promise = take(id, PromiseOutcome::kTimeout)) owner_.on_promise_expired(*promise);
  }
  if (!timer_.armed()) timers_.arm(timer_, wheel_.next());
}

}  // namespace godwit::session

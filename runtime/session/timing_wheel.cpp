#include "session/timing_wheel.h"

#include <algorithm>

namespace godwit::session {

void TimingWheel::arm(uint32_t item, Timestamp deadline, Timestamp now) {
  if (item >= links_.size()) links_.resize(item + 1);
  if (links_[item].slot != kNone) unlink(item);
  if (size_ == 0 && tick_of(now) > 0) swept_tick_ = std::max(swept_tick_, tick_of(now) - 1);
  // A deadline that the sweep has passed already goes into the next slot to be swept.
  const uint32_t slot = std::max(tick_of(deadline), swept_tick_ + 1) % kSlots;
  links_[item] = {heads_[slot], kNone, slot, deadline};
  if (heads_[slot] != kNone) links_[heads_[slot]].previous = item;
  heads_[slot] = item;
  ++size_;
}

void TimingWheel::disarm(uint32_t item) {
  if (item < links_.size() && links_[item].slot != kNone) unlink(item);
}

void TimingWheel::unlink(uint32_t item) {
  Link& link = links_[item];
  if (link.next != kNone) links_[link.next].previous = link.previous;
  (link.previous != kNone ? links_[link.previous].next : heads_[link.slot]) = link.next;
  link = {};
  --size_;
}

Timestamp TimingWheel::next() const {
  if (size_ == 0) return kNever;
  return from_ns((swept_tick_ + 2) * static_cast<uint64_t>(kTick.count()));
}

void TimingWheel::advance(Timestamp now, std::vector<uint32_t>& due) {
  // Tick t is over, and its slot may be swept, once now has reached t + 1.
  const uint64_t over = tick_of(now);
  if (over == 0) return;
  const uint64_t last = over - 1;
  const uint64_t first = last >= kSlots ? std::max(swept_tick_ + 1, last - kSlots + 1) : swept_tick_ + 1;
  for (uint64_t tick = first; tick <= last && size_ > 0; ++tick) collect(tick % kSlots, now, due);
  swept_tick_ = std::max(swept_tick_, last);
}

void TimingWheel::collect(size_t slot, Timestamp now, std::vector<uint32_t>& due) {
  for (uint32_t item = heads_[slot]; item != kNone;) {
    const uint32_t next = links_[item].next;
    if (links_[item].deadline <= now) {
      unlink(item);
      due.push_back(item);
    }
    item = next;
  }
}

}  // namespace godwit::session

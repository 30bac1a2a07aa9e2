#include "app/offline_table.h"

#include <algorithm>

namespace godwit::app {

void OfflineTable::Tally::add_to(WorkerMetrics& metrics) const {
  metrics.offline_kept.add(kept);
  metrics.offline_delivered.add(delivered);
  metrics.offline_dropped.add(dropped);
  metrics.offline_expired.add(expired);
  metrics.offline_messages.add(static_cast<int64_t>(kept) - static_cast<int64_t>(delivered + dropped + expired));
  metrics.offline_bytes.add(bytes);
}

OfflineTable::Tally OfflineTable::leave(const std::string& uid) {
  Tally tally;
  if (uid.empty() || limits_.ttl == Duration::zero()) return tally;
  const Timestamp now = clock_.now();
  const std::lock_guard lock(mutex_);
  close_late(now, tally);
  if (boxes_.size() >= OfflineLimits::kUsersMax && !boxes_.contains(uid)) return tally;
  set_closing(uid, boxes_[uid], now + limits_.ttl);
  return tally;
}

Status OfflineTable::keep(const std::string& uid, wire::StoredMessage message, Duration ttl, Tally& tally) {
  const Timestamp now = clock_.now();
  const std::lock_guard lock(mutex_);
  close_late(now, tally);
  const auto found = boxes_.find(uid);
  if (found == boxes_.end()) return fail(Code::kTargetNotFound, "nobody of this name was here of late");
  Box& box = found->second;
  const size_t bytes = message.bytes();
  if (bytes > limits_.bytes_max) return fail(Code::kMessageTooLarge, "it is larger than what is kept for one user");
  expire(box, now, tally);
  while (box.events.size() >= limits_.messages_max || box.bytes + bytes > limits_.bytes_max) {
    pop(box, tally);
    ++tally.dropped;
  }
  if (bytes_ + bytes > limits_.total_bytes_max) return fail(Code::kQueueFull, "too much is kept for others");
  const Duration life = ttl > Duration::zero() ? std::min(ttl, limits_.ttl) : limits_.ttl;
  box.events.push_back({{std::move(message), now}, now + life});
  box.bytes += bytes;
  bytes_ += bytes;
  ++tally.kept;
  tally.bytes += static_cast<int64_t>(bytes);
  set_closing(uid, box, std::max(box.closes, now + life));
  return {};
}

std::vector<OfflineTable::Kept> OfflineTable::enter(const std::string& uid, Tally& tally) {
  const Timestamp now = clock_.now();
  const std::lock_guard lock(mutex_);
  close_late(now, tally);
  const auto found = boxes_.find(uid);
  if (found == boxes_.end()) return {};
  Box& box = found->second;
  expire(box, now, tally);
  std::vector<Kept> kept;
  for (Event& event : box.events) kept.push_back(std::move(event.kept));
  tally.delivered += kept.size();
  tally.bytes -= static_cast<int64_t>(box.bytes);
  bytes_ -= box.bytes;
  closing_.erase({box.closes, uid});
  boxes_.erase(found);
  return kept;
}

void OfflineTable::close_late(Timestamp now, Tally& tally) {
  while (!closing_.empty() && closing_.begin()->first <= now) {
    const auto found = boxes_.find(closing_.begin()->second);
    for (Box& box = found->second; !box.events.empty(); ++tally.expired) pop(box, tally);
    boxes_.erase(found);
    closing_.erase(closing_.begin());
  }
}

void OfflineTable::set_closing(const std::string& uid, Box& box, Timestamp closes) {
  closing_.erase({box.closes, uid});
  box.closes = closes;
  closing_.insert({closes, uid});
}

void OfflineTable::pop(Box& box, Tally& tally) {
  const size_t bytes = box.events.front().kept.message.bytes();
  box.bytes -= bytes;
  bytes_ -= bytes;
  tally.bytes -= static_cast<int64_t>(bytes);
  box.events.pop_front();
}

/// A later one may expire first: it had less time.
void OfflineTable::expire(Box& box, Timestamp now, Tally& tally) {
  std::deque<Event> left;
  for (; !box.events.empty();) {
    if (box.events.front().expires > now) {
      left.push_back(std::move(box.events.front()));
      box.events.pop_front();
      continue;
    }
    pop(box, tally);
    ++tally.expired;
  }
  box.events = std::move(left);
}

}  // namespace godwit::app

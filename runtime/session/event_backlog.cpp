#include "session/event_backlog.h"

#include <utility>

namespace godwit::session {

void EventBacklog::push(wire::StoredMessage event, Timestamp now) {
  while (!events_.empty() && (events_.size() >= messages_max_ || bytes_ + event.bytes() > bytes_max_)) {
    metrics_.outbox_overflows[static_cast<size_t>(OverflowOutcome::kDropped)].add();
    pop();
  }
  bytes_ += event.bytes();
  metrics_.outbox_waiting.add(1);
  events_.push_back({std::move(event), now});
}

bool EventBacklog::front_expired(Timestamp now) const {
  const uint32_t ttl_ms = front().envelope().ttl_ms;
  return ttl_ms != 0 && now - events_.front().since >= std::chrono::milliseconds(ttl_ms);
}

void EventBacklog::pop() {
  bytes_ -= events_.front().message.bytes();
  metrics_.outbox_waiting.add(-1);
  events_.pop_front();
}

void EventBacklog::clear() {
  while (!events_.empty()) pop();
}

}  // namespace godwit::session

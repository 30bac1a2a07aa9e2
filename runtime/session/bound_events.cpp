#include "session/bound_events.h"

namespace godwit::session {

Status BoundEvents::add(uint64_t request_id, Bound place, Timestamp expires, wire::StoredMessage event) {
  if (messages_ >= messages_max_ || bytes_ + event.bytes() > bytes_max_)
    return fail(Code::kQueueFull, "too many events wait for responses");
  Group& group = groups_[request_id];
  group.expires = expires;
  ++messages_;
  bytes_ += event.bytes();
  metrics_.bound_events.add(1);
  (place == Bound::kBefore ? group.before : group.after).push_back(std::move(event));
  return {};
}

bool BoundEvents::wait_for(uint64_t request_id, Timestamp now) {
  const auto found = groups_.find(request_id);
  if (found == groups_.end()) return false;
  if (now < found->second.expires) return true;
  metrics_.bound_events_expired.add(found->second.before.size() + found->second.after.size());
  drop(request_id);
  return false;
}

std::vector<wire::StoredMessage> BoundEvents::take(uint64_t request_id, Bound place) {
  const auto found = groups_.find(request_id);
  if (found == groups_.end()) return {};
  Group& group = found.value();
  return release(place == Bound::kBefore ? group.before : group.after);
}

std::vector<wire::StoredMessage> BoundEvents::release(std::vector<wire::StoredMessage>& events) {
  for (const wire::StoredMessage& event : events) bytes_ -= event.bytes();
  messages_ -= events.size();
  metrics_.bound_events.add(-static_cast<int64_t>(events.size()));
  return std::exchange(events, {});
}

void BoundEvents::drop(uint64_t request_id) {
  take(request_id, Bound::kBefore);
  take(request_id, Bound::kAfter);
  groups_.erase(request_id);
}

void BoundEvents::clear() {
  metrics_.bound_events.add(-static_cast<int64_t>(messages_));
  groups_.clear();
  messages_ = 0;
  bytes_ = 0;
}

}  // namespace godwit::session

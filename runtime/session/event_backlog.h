#pragma once

#include <deque>

#include "base/time.h"
#include "base/worker_metrics.h"
#include "wire/stored_message.h"

namespace godwit::session {

/// Events for a peer that takes them too slowly: the newest of those that found its outbox full. They have no number
/// yet, so that the oldest can go without leaving a hole. Bounded in messages and bytes.
class EventBacklog {
 public:
  EventBacklog(size_t messages_max, size_t bytes_max, WorkerMetrics& metrics)
      : messages_max_(messages_max), bytes_max_(bytes_max), metrics_(metrics) {}
  ~EventBacklog() { clear(); }
  EventBacklog(const EventBacklog&) = delete;
  EventBacklog& operator=(const EventBacklog&) = delete;

  /// The oldest make room for it, and are counted.
  void push(wire::StoredMessage event, Timestamp now);

  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }
  const wire::StoredMessage& front() const { return events_.front().message; }
  /// It outlived its ttl while it waited.
  bool front_expired(Timestamp now) const;
  void pop();
  void clear();

 private:
  struct Event {
    wire::StoredMessage message;
    Timestamp since;
  };

  const size_t messages_max_;
  const size_t bytes_max_;
  WorkerMetrics& metrics_;
  std::deque<Event> events_;
  size_t bytes_ = 0;
};

}  // namespace godwit::session

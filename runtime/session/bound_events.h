#pragma once

#include <tsl/robin_map.h>

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/worker_metrics.h"
#include "session/order.h"
#include "wire/stored_message.h"

namespace godwit::session {

/// Events that wait for the response to a request of the peer, to be sent right before or right after it. Bounded in
/// messages and bytes over all requests; what a response comes too late for is dropped and counted.
class BoundEvents {
 public:
  BoundEvents(size_t messages_max, size_t bytes_max, WorkerMetrics& metrics)
      : messages_max_(messages_max), bytes_max_(bytes_max), metrics_(metrics) {}
  ~BoundEvents() { clear(); }
  BoundEvents(const BoundEvents&) = delete;
  BoundEvents& operator=(const BoundEvents&) = delete;

  /// `expires`: when nobody waits for that response any more. QueueFull at the bounds.
  Status add(uint64_t request_id, Bound place, Timestamp expires, wire::StoredMessage event);

  bool empty() const { return groups_.empty(); }
  /// Whether something still waits for the response to this request; what is late is gone then.
  bool wait_for(uint64_t request_id, Timestamp now);
  /// Those of one place, in the order in which they were added; they wait no longer.
  std::vector<wire::StoredMessage> take(uint64_t request_id, Bound place);
  /// There will be no response, or it is sent.
  void drop(uint64_t request_id);
  void clear();

  size_t size() const { return messages_; }

 private:
  struct Group {
    Timestamp expires = kNever;
    std::vector<wire::StoredMessage> before, after;
  };
  std::vector<wire::StoredMessage> release(std::vector<wire::StoredMessage>& events);

  const size_t messages_max_;
  const size_t bytes_max_;
  WorkerMetrics& metrics_;
  tsl::robin_map<uint64_t, Group> groups_;  ///< by request
  size_t messages_ = 0;
  size_t bytes_ = 0;
};

}  // namespace godwit::session

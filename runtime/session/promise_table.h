#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "port/clock.h"
#include "session/reply.h"
#include "session/timing_wheel.h"

namespace godwit::session {

class Session;

struct Promise {
  Id<Session> session;
  uint64_t message_id = 0;
  Waiting waiting;
};
using PromiseId = Id<Promise>;

/// All replies and acknowledgements that somebody on one worker waits for: an exact bound, a warning at a share of it
/// with hysteresis, and deadlines that fire within 16 ms. Sessions keep the way from message id to promise.
class PromiseTable {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The deadline passed; the promise is gone already, the owner forgets the message id and tells who waits.
    virtual void on_promise_expired(const Promise& promise) = 0;
    /// The share in use crossed the warning level (once per crossing; again only after it fell a tenth of the bound
    /// below).
    virtual void on_promises_high(size_t in_use, size_t bound) = 0;
  };

  PromiseTable(size_t bound, const Clock& clock, TimerHeap& timers, WorkerMetrics& metrics, Owner& owner,
               double warn_ratio = 0.8);

  /// PromiseLimit at the bound.
  Result<PromiseId> create(const Promise& promise, Timestamp deadline);
  /// Removes and returns; nullopt when it is gone already.
  std::optional<Promise> take(PromiseId id, PromiseOutcome outcome);

  size_t size() const { return size_; }

 private:
  struct Slot {
    Promise promise;
    uint32_t generation = 1;
    bool used = false;
  };
  void on_timer(Timestamp now);
  void release(uint32_t slot, PromiseOutcome outcome);

  const size_t bound_;
  const size_t warn_at_;
  const size_t calm_at_;  ///< warns again only after this was reached
  const Clock& clock_;
  TimerHeap& timers_;
  WorkerMetrics& metrics_;
  Owner& owner_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  TimingWheel wheel_;
  Timer timer_;
  size_t size_ = 0;
  bool warned_ = false;
};

}  // namespace godwit::session

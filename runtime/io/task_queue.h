#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace godwit::io {

using Task = std::function<void()>;

/// Work on its way from many threads to one, without a lock. Refuses at its bound. Tasks of one thread keep their
/// order.
class TaskQueue {
 public:
  explicit TaskQueue(size_t tasks_max) : tasks_max_(tasks_max) {}

  /// Any thread. False at the bound.
  bool push(Task task);

  /// The owner's thread: runs at most what was waiting when it was called, so that tasks which post tasks can not keep
  /// it busy. True when more is waiting.
  bool run_waiting();

  /// How often `push` refused.
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  const size_t tasks_max_;
  std::atomic<size_t> waiting_{0};
  std::atomic<uint64_t> refused_{0};
  moodycamel::ConcurrentQueue<Task> tasks_;
};

}  // namespace godwit::io

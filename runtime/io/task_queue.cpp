#include "io/task_queue.h"

namespace godwit::io {

// The place is reserved first and the task put there second: `waiting_` may run ahead of the queue for a moment, never
// behind.
bool TaskQueue::push(Task task) {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < tasks_max_) {
    tasks_.enqueue(std::move(task));
    return true;
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool TaskQueue::run_waiting() {
  size_t budget = waiting_.load(std::memory_order_relaxed);
  Task task;
  while (budget > 0 && tasks_.try_dequeue(task)) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    --budget;
    task();
    task = nullptr;
  }
  return tasks_.size_approx() > 0;
}

}  // namespace godwit::io

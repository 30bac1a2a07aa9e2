#include "io/thread_pool.h"

#include <chrono>

namespace godwit::io {

ThreadPool::ThreadPool(size_t threads, size_t waiting_max) : waiting_max_(waiting_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || waiting_.size() >= waiting_max_) {
      ++rejected_;
      return false;
    }
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void ThreadPool::serve() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (ending_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_;
    }
    const auto before = std::chrono::steady_clock::now();
    work();
    note(std::chrono::steady_clock::now() - before);
  }
}

void ThreadPool::note(Duration took) {
  const std::lock_guard lock(mutex_);
  --busy_;
  seconds_.record(took);
}

ThreadPool::Facts ThreadPool::facts() const {
  const std::lock_guard lock(mutex_);
  Facts facts{.tasks = waiting_.size() + busy_, .rejected = rejected_, .seconds = seconds_.snapshot()};
  facts.done = facts.seconds.count();
  return facts;
}

}  // namespace godwit::io

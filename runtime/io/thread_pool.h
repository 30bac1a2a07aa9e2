#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "port/work_pool.h"

namespace godwit::io {

/// A fixed number of threads behind one bounded queue. Its end waits for what is being done.
class ThreadPool final : public WorkPool {
 public:
  ThreadPool(size_t threads, size_t waiting_max);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  bool run(std::function<void()> work) override;

 private:
  void serve();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace godwit::io

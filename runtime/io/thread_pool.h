#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/histogram.h"
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

  /// From any thread.
  struct Facts {
    uint64_t tasks = 0;  ///< that wait or are being done
    uint64_t done = 0;
    uint64_t rejected = 0;
    HistogramSnapshot seconds;  ///< that they took
  };
  Facts facts() const;

 private:
  void serve();
  void note(Duration took);

  const size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  size_t busy_ = 0;
  uint64_t rejected_ = 0;
  Histogram seconds_;  ///< written under the lock
  std::vector<std::thread> threads_;
};

}  // namespace godwit::io

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "app/worker.h"

namespace godwit::app {

/// Carries work from one thread (the first worker's) to the scripts of any worker, and answers back. Nothing is lost to
/// a full mailbox, it only comes later: what is said here takes part in a commit that must not happen on some workers
/// only. Work for one worker keeps its order.
class WorkerCalls {
 public:
  WorkerCalls(const std::vector<std::unique_ptr<Worker>>& workers, Log log);
  ~WorkerCalls();

  uint32_t count() const { return static_cast<uint32_t>(workers_.size()); }

  /// Until here work is done at once, because nobody else enters the workers.
  void workers_run() { running_ = true; }

  /// Runs `work` on the worker's thread.
  void call(uint32_t worker, std::function<void(WorkerApps&)> work);
  /// From work on a worker's thread: runs `answer` on the first worker's.
  void answer(uint32_t worker, std::function<void()> answer);

 private:
  using Work = std::function<void(WorkerApps&)>;
  bool post(uint32_t worker, Work& work);
  void send_waiting();

  const std::vector<std::unique_ptr<Worker>>& workers_;
  io::Loop& home_;
  Log log_;
  std::vector<std::deque<Work>> waiting_;  ///< per worker: its mailbox was full
  Timer retry_timer_;
  bool running_ = false;
};

}  // namespace godwit::app

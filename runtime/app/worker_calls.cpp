#include "app/worker_calls.h"

namespace godwit::app {
namespace {

constexpr Duration kRetry = 5ms;  ///< a mailbox empties within a turn

}  // namespace

WorkerCalls::WorkerCalls(const std::vector<std::unique_ptr<Worker>>& workers, Log log)
    : workers_(workers),
      home_(workers.front()->loop()),
      log_(log),
      waiting_(workers.size()),
      retry_timer_([this](Timestamp) { send_waiting(); }) {}

WorkerCalls::~WorkerCalls() = default;

void WorkerCalls::call(uint32_t worker, Work work) {
  if (!running_) return work(workers_[worker]->apps());
  if (waiting_[worker].empty() && post(worker, work)) return;
  log_.warn("a worker's mailbox is full; it is told later", {{"worker", worker}});
  waiting_[worker].push_back(std::move(work));
  home_.timers().arm(retry_timer_, home_.now() + kRetry);
}

bool WorkerCalls::post(uint32_t worker, Work& work) {
  // Copied: a refused task is lost with its closure.
  return workers_[worker]->loop().post([one = workers_[worker].get(), work] { work(one->apps()); });
}

void WorkerCalls::send_waiting() {
  bool left = false;
  for (uint32_t worker = 0; worker < waiting_.size(); ++worker) {
    auto& waiting = waiting_[worker];
    while (!waiting.empty() && post(worker, waiting.front())) waiting.pop_front();
    left |= !waiting.empty();
  }
  if (left) home_.timers().arm(retry_timer_, home_.now() + kRetry);
}

void WorkerCalls::answer(uint32_t worker, std::function<void()> answer) {
  if (!running_) return answer();
  if (home_.post(answer)) return;
  const bool later = workers_[worker]->loop().post([this, worker, answer] { this->answer(worker, answer); });
  if (!later) log_.error("a worker could not report to the first: both mailboxes are full", {{"worker", worker}});
}

}  // namespace godwit::app

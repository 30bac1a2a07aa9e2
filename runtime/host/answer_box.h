#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "host/lua_waits.h"
#include "port/mailbox.h"

namespace godwit::host {

/// What other threads have for the waits of one VM. Nothing is lost on the way: it lies here until the worker comes
/// round, and a mailbox that is too full to wake the worker has woken it already. As many fit as were begun, which
/// whoever begins bounds. Shared with those who answer, who may be later than the VM's end.
class AnswerBox {
 public:
  /// `mailbox` wakes the worker.
  explicit AnswerBox(Mailbox* mailbox) : mailbox_(mailbox) {}

  /// Any thread.
  void put(WaitToken token, Wake wake) {
    {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(token, std::move(wake));
      any_.store(true, std::memory_order_release);
    }
    (void)mailbox_->post([] {});
  }

  /// The worker's thread, with every turn. How many there were.
  size_t deliver(LuaWaits& waits) {
    if (!any_.load(std::memory_order_acquire)) return 0;
    std::vector<std::pair<WaitToken, Wake>> answers;
    {
      const std::lock_guard lock(mutex_);
      answers.swap(answers_);
      any_.store(false, std::memory_order_release);
    }
    for (auto& [token, wake] : answers) waits.complete(token, std::move(wake));
    return answers.size();
  }

 private:
  Mailbox* const mailbox_;
  std::mutex mutex_;
  std::atomic<bool> any_{false};
  std::vector<std::pair<WaitToken, Wake>> answers_;
};

}  // namespace godwit::host

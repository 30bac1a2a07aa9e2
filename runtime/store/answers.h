#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "port/mailbox.h"

namespace godwit::store {

/// What an engine's thread has answered, on its way to the thread that asked. None is lost: answers that a full mailbox
/// does not take wait here, and there are never more than calls under way. Safe from both threads.
class Answers : public std::enable_shared_from_this<Answers> {
 public:
  explicit Answers(Mailbox& home) : home_(&home) {}

  void add(std::function<void()> answer) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
  }

  /// The engine's thread, once for all that it has added. False: the mailbox is full, and somebody must try again.
  [[nodiscard]] bool send();

  /// The thread that asked: it hears no more.
  void close();

 private:
  void deliver();

  std::mutex mutex_;
  Mailbox* home_;
  std::deque<std::function<void()>> waiting_;
  bool posted_ = false;
};

}  // namespace godwit::store

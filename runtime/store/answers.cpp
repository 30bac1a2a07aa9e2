#include "store/answers.h"

#include <utility>

namespace godwit::store {

bool Answers::send() {
  const std::lock_guard lock(mutex_);
  if (posted_ || waiting_.empty() || !home_) return true;
  posted_ = home_->post([self = shared_from_this()] { self->deliver(); });
  return posted_;
}

void Answers::close() {
  const std::lock_guard lock(mutex_);
  home_ = nullptr;
  waiting_.clear();
}

/// One after the other: an answer may close the door.
void Answers::deliver() {
  std::unique_lock lock(mutex_);
  posted_ = false;
  for (size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    const std::function<void()> answer = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    answer();
    lock.lock();
  }
}

}  // namespace godwit::store

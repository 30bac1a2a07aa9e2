#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"

namespace godwit::model {

/// What crosses a session in one direction, as simply as it can be said: every message ever sent, and what became of
/// it. Slow and obvious; the real outbox and inbox are compared with it.
class Conversation {
 public:
  enum class Fate : uint8_t { kOpen, kHandled, kRefused };
  struct Message {
    uint64_t follows = 0;  ///< handed over after this one; 0: whenever it comes
    bool arrived = false;
    bool handed_over = false;
    bool cancelled = false;  ///< a request, before it was handed over: it goes to nobody
    Fate fate = Fate::kOpen;
    Code refusal = Code::kOk;
    bool told = false;  ///< its sender knows what became of it
  };

  uint64_t send(bool ordered) {
    const uint64_t number = ++last_;
    messages_.push_back({.follows = ordered ? last_ordered_ : 0});
    if (ordered) last_ordered_ = number;
    return number;
  }

  /// It arrived, for the first time or again: the numbers that are handed over now, in this order.
  std::vector<uint64_t> arrive(uint64_t number) {
    if (std::exchange(at(number).arrived, true)) return {};
    std::vector<uint64_t> now;
    for (uint64_t next = number; next != 0; next = follower_of(next)) {
      if (at(next).follows != 0 && !at(at(next).follows).handed_over) break;
      at(next).handed_over = true;
      if (at(next).cancelled) end(next, Fate::kHandled);
      if (at(next).fate == Fate::kOpen) now.push_back(next);
    }
    return now;
  }

  void end(uint64_t number, Fate fate, Code refusal = Code::kOk) {
    if (at(number).fate != Fate::kOpen) return;
    at(number).fate = fate;
    at(number).refusal = refusal;
  }

  /// Every number up to here has ended at the receiver.
  uint64_t ended() const {
    while (ended_ < last_ && messages_[ended_].fate != Fate::kOpen) ++ended_;
    return ended_;
  }
  /// Every number up to here is known to its sender.
  uint64_t known() const {
    while (known_ < last_ && messages_[known_].told) ++known_;
    return known_;
  }
  uint64_t untold() const {
    uint64_t count = 0;
    for (uint64_t number = known() + 1; number <= last_; ++number) count += at(number).told ? 0 : 1;
    return count;
  }
  /// Arrived, and waiting for one before it.
  uint64_t held() const {
    uint64_t count = 0;
    for (uint64_t number = ended() + 1; number <= last_; ++number)
      count += at(number).arrived && !at(number).handed_over ? 1 : 0;
    return count;
  }

  uint64_t last() const { return last_; }
  Message& at(uint64_t number) { return messages_.at(number - 1); }
  const Message& at(uint64_t number) const { return messages_.at(number - 1); }

 private:
  /// The arrived message that waits for this one; 0: none does.
  uint64_t follower_of(uint64_t number) const {
    for (uint64_t next = number + 1; next <= last_; ++next) {
      if (at(next).follows == number) return at(next).arrived ? next : 0;
    }
    return 0;
  }

  std::vector<Message> messages_;
  uint64_t last_ = 0;
  uint64_t last_ordered_ = 0;
  mutable uint64_t ended_ = 0;  ///< where the last search ended, nothing more
  mutable uint64_t known_ = 0;
};

}  // namespace godwit::model

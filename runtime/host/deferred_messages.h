#pragma once

#include <map>
#include <set>

#include "base/timer_heap.h"
#include "host/handler.h"

namespace godwit::host {

/// Messages whose verdict a plugin gives later, each with the time by which it has to come.
class DeferredMessages {
 public:
  DeferredMessages(TimerHeap& timers, size_t messages_max)
      : timers_(timers), messages_max_(messages_max), wake_timer_([](Timestamp) {}) {}

  /// False: there are too many.
  bool add(Ticket ticket, Timestamp deadline);
  /// The verdict came, or nobody waits for it. False: it is not here.
  bool settle(Ticket ticket);
  /// Fails what is late; being awake for it is ensured by a timer.
  void expire(Timestamp now, ReplySink& sink);
  void fail_all(Code code, std::string_view text, ReplySink& sink);

  bool has_late(Timestamp now) const { return !by_deadline_.empty() && by_deadline_.begin()->first <= now; }
  size_t size() const { return deadlines_.size(); }

 private:
  void watch();

  TimerHeap& timers_;
  const size_t messages_max_;
  std::map<uint64_t, Timestamp> deadlines_;  ///< by ticket
  std::set<std::pair<Timestamp, uint64_t>> by_deadline_;
  Timer wake_timer_;
};

}  // namespace godwit::host

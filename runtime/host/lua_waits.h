#pragma once

#include <tsl/robin_map.h>

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/timer_heap.h"
#include "port/clock.h"

namespace godwit::host {

/// What a wait ended with.
struct Wake {
  Code code = Code::kOk;  ///< kOk, or why it ended otherwise
  std::string text;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  double number = 0;
};

/// Names one wait of one VM; never used again.
using WaitToken = uint64_t;

/// The waits of a VM: a coroutine begins something, is told its token, and goes on when somebody completes it. Whoever
/// completes does not run Lua: the coroutine becomes ready, and goes on when its app has its turn. Worker's thread.
class LuaWaits {
 public:
  LuaWaits(const Clock& clock, TimerHeap& timers, size_t waits_max);

  /// nullopt when too many wait already.
  std::optional<WaitToken> begin();
  /// Nothing will wait for it: what it began was refused, or cannot be waited for.
  void forget(WaitToken token);
  /// What to do when nobody waits for the end of what was begun any more: the wait has ended otherwise, or was
  /// forgotten.
  void on_abandoned(WaitToken token, std::function<void()> abandon);
  /// The coroutine that waits for it, from now on.
  void park(WaitToken token, uint32_t coroutine);

  /// The first word counts; a token that is gone is nobody's.
  void complete(WaitToken token, Wake wake);
  /// DeadlineExceeded, should nothing else have come until then.
  void complete_at(WaitToken token, Timestamp at);

  struct Ready {
    uint32_t coroutine;
    Wake wake;
  };
  std::optional<Ready> next_ready();
  size_t ready() const { return ready_.size(); }

  /// Coroutines that wait or are ready.
  size_t size() const { return waits_.size() + ready_.size(); }
  /// All that wait become ready with this code.
  void complete_all(Code code);

 private:
  struct Wait {
    std::optional<uint32_t> coroutine;  ///< not yet: it has not got to waiting
    std::optional<Wake> wake;
    Timestamp deadline = kNever;
    std::function<void()> abandon;
  };
  void on_timer(Timestamp now);

  const Clock& clock_;
  TimerHeap& timers_;
  const size_t waits_max_;
  WaitToken last_ = 0;
  tsl::robin_map<WaitToken, Wait> waits_;
  std::set<std::pair<Timestamp, WaitToken>> deadlines_;
  std::deque<Ready> ready_;
  Timer timer_;
};

}  // namespace godwit::host

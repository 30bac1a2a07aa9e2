#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "io/uv_handle.h"
#include "port/clock.h"
#include "port/mailbox.h"

namespace godwit::io {

class DeadlineTimer;
class Loop;
class TaskQueue;

/// Ask the sockets for a while before sleeping: saves the wake-up of the thread (some 35 µs) when traffic comes in
/// quick succession, and costs CPU. So it only happens shortly after traffic was seen.
struct BusyPoll {
  bool enabled = false;
  Duration spin = 30us;          ///< how long to ask before sleeping; useful from 20 to 50 µs
  Duration after_traffic = 1ms;  ///< only when traffic was seen so recently
};

struct LoopOptions {
  size_t mailbox_tasks_max = 4096;  ///< posted and not yet run
  BusyPoll busy_poll;
};

/// What can be asked for traffic without going through the kernel's event queue.
class BusyPollable {
 public:
  virtual ~BusyPollable() = default;
  /// Takes in what is there; false when there was nothing.
  virtual bool poll_now() = 0;
};

/// Work at the end of each loop turn and before the loop sleeps: flushing what the turn made dirty, destroying what it
/// erased. No callback of the loop is on the stack then. Hooks run in the order in which they were made. Keep it cheap
/// when there is nothing to do. Destroying the hook removes it.
class TurnHook {
 public:
  TurnHook(Loop& loop, std::function<void()> work);
  ~TurnHook();
  TurnHook(const TurnHook&) = delete;
  TurnHook& operator=(const TurnHook&) = delete;

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> work_;
};

/// One thread's event loop. A turn is: whatever the kernel reports → due timers → hooks → sleep until the next report
/// or deadline. Time stands still within a turn unless `refresh` is called. All members belong to the loop's thread,
/// except `post` and `stop`. Whatever was made with a loop must be gone before it.
class Loop final : public Clock, public Mailbox {
 public:
  static Result<std::unique_ptr<Loop>> create(LoopOptions options, WorkerMetrics& metrics);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Returns after `stop`, when the hooks have run once more. May be called again.
  void run();
  /// From any thread. The turn in progress is finished.
  void stop();

  /// For a thread that has a loop of its own, instead of `run`: readable when `run_due` has something to do. To be
  /// asked for readability only, and only between calls of that.
  int descriptor() const;
  /// Does what is due and returns, without waiting for anything.
  void run_due();

  TimerHeap& timers() { return timers_; }

  Timestamp now() const override;
  Timestamp measure() const override;
  int64_t unix_us() const override;
  /// Reads the clock again within a turn, after something took long.
  void refresh();

  bool post(std::function<void()> work) override;
  /// How often `post` was refused. From any thread.
  uint64_t posts_refused() const;

  void set_busy_poll(BusyPoll busy_poll) { busy_poll_ = busy_poll; }

  // For the other classes of io/, which are the only callers of the loop's callbacks.
  uv_loop_s* raw() { return uv_.get(); }
  /// Every callback from libuv starts with this: the first of a turn takes the time.
  void begin_turn();
  void saw_traffic() { last_traffic_ = now_; }
  void add_pollable(BusyPollable& pollable) { pollables_.push_back(&pollable); }
  void remove_pollable(BusyPollable& pollable) { std::erase(pollables_, &pollable); }

 private:
  friend class TurnHook;

  struct CloseLoop {
    void operator()(uv_loop_s* loop) const;
  };

  Loop(LoopOptions options, WorkerMetrics& metrics);
  Status open();
  Status open_handles();
  void start_handles();
  void wake();
  void end_turn();
  void run_hooks();
  void on_prepare();
  void on_check();
  void on_wake();
  void spin();
  bool poll_sockets();
  void add_hook(TurnHook& hook);
  void remove_hook(TurnHook& hook);

  WorkerMetrics& metrics_;
  BusyPoll busy_poll_;
  TimerHeap timers_;
  std::unique_ptr<TaskQueue> tasks_;
  std::unique_ptr<DeadlineTimer> wake_timer_;
  std::vector<TurnHook*> hooks_;  // null: removed while the hooks were running
  std::vector<BusyPollable*> pollables_;
  Timestamp now_{};
  Timestamp turn_began_{};
  Timestamp last_traffic_{};
  bool in_turn_ = false;
  bool begun_ = false;  ///< a turn has, since `run_due` last looked
  bool in_hooks_ = false;
  std::atomic<bool> stop_wanted_{false};
  std::atomic<bool> woken_{false};  // another thread wants something: spinning must end

  std::unique_ptr<uv_loop_s, CloseLoop> uv_;
  UvHandle<uv_prepare_s> prepare_;
  UvHandle<uv_check_s> check_;
  UvHandle<uv_async_s> wake_;
  UvHandle<uv_idle_s> do_not_sleep_;
  UvHandle<uv_poll_s> deadline_;
};

}  // namespace godwit::io

#pragma once

#include <pthread.h>
#include <lua.hpp>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/time.h"

namespace godwit::host {

/// The time limit of one VM. The VM's thread says when it enters and leaves Lua and counts turns (one per message);
/// the watchdog's thread finds turns that used more processor time than their budget and arms the VM's hook, which
/// raises an error at the next instruction, and again at each one after it, so that no pcall gets away. Time is that of
/// the VM's own thread (a VM may be built on one and live on another): a busy machine does not make a script late.
class Watch {
 public:
  /// `turn` is changed by the VM's thread alone, also from compiled Lua.
  /// `owner` is who is named, in `log`, when the VM does not come back from a C function.
  Watch(lua_State* vm, uint32_t& turn, Duration usual_budget, std::string owner, Log log);

  // From the VM's thread.
  /// `limit` is what an overrun is told as; a budget is less when part of it was used before.
  void enter(Duration budget, Duration limit);
  /// Control is back in the host: the hook is taken off, if there was one.
  void leave();
  /// Processor time of this thread since `measure`.
  void measure() { measured_from_ = this_thread_time(); }
  Duration measured() const { return this_thread_time() - measured_from_; }
  bool inside() const { return inside_.load(std::memory_order_relaxed); }
  /// From within Lua, also from its allocator: the hook comes with the next instruction, see LuaVm::on_hook.
  void interrupt();
  /// From the hook: it came for nothing that still matters.
  void disarm();
  /// The running turn must end. Code that Lua's hooks do not reach asks this and raises by itself.
  bool overdue() const;
  /// Raises the error that ends an overdue turn; `place` is where it was found running.
  [[noreturn]] void raise(lua_State* running, lua_Debug* place) const;

  // From the watchdog's thread.
  void inspect(Duration stuck_after);
  Duration budget() const { return Duration(budget_ns_.load(std::memory_order_relaxed)); }

 private:
  uint32_t turn() const { return __atomic_load_n(&turn_, __ATOMIC_ACQUIRE); }
  Duration time_used() const;
  static Duration this_thread_time();
  void take_thread();
  void end_turn(uint32_t turn);
  void look_whether_stuck(Duration stuck_after);
  void report_stuck(Duration since);
  void arm();

  lua_State* vm_;
  uint32_t& turn_;
  const Duration usual_budget_;
  const std::string owner_;
  const Log log_;
  pthread_t thread_{};  ///< that entered last
  std::atomic<clockid_t> clock_{CLOCK_MONOTONIC};
  std::atomic<int64_t> budget_ns_;
  Duration limit_;            ///< the VM's thread only
  Duration measured_from_{};  ///< the same
  std::atomic<bool> inside_{false};
  std::atomic<bool> armed_{false};
  std::atomic<bool> late_{false};
  std::atomic<uint32_t> late_turn_{0};
  std::mutex hook_;  ///< held while the hook is set or taken off

  // The watchdog's own.
  bool seen_ = false;
  uint32_t seen_turn_ = 0;
  Duration seen_at_{};
  // On the wall clock.
  Duration in_lua_at_{};              ///< when the running turn began, or last obeyed the hook
  std::optional<Duration> asked_at_;  ///< since when a hook waits to be obeyed
  bool told_ = false;                 ///< that it is stuck
};

/// One thread that looks after the watches of all VMs of the process.
class Watchdog {
 public:
  explicit Watchdog(Duration stuck_after);
  ~Watchdog();

  void add(Watch& watch);
  /// After this the watch is not touched any more.
  void remove(Watch& watch);

 private:
  void run();
  Duration period() const;

  const Duration stuck_after_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watch*> watches_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace godwit::host

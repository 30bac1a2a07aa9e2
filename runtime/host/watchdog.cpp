#include "host/watchdog.h"

#include <algorithm>

#include "host/app.h"
#include "host/lua_vm.h"

namespace godwit::host {
namespace {

/// Looks per budget: an overrun ends at most an eighth of the budget late.
constexpr int kLooksPerBudget = 8;
/// Below, looking would cost more than it saves; above, a VM that is new would wait too long for its first look.
constexpr Duration kPeriodMin = 1ms;
constexpr Duration kPeriodMax = 50ms;

clockid_t clock_of_this_thread() {
  clockid_t clock = CLOCK_MONOTONIC;
  pthread_getcpuclockid(pthread_self(), &clock);
  return clock;
}

Duration monotonic_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

Watch::Watch(lua_State* vm, uint32_t& turn, Duration usual_budget, std::string owner, Log log)
    : vm_(vm),
      turn_(turn),
      usual_budget_(usual_budget),
      owner_(std::move(owner)),
      log_(log),
      budget_ns_(usual_budget.count()),
      limit_(usual_budget) {}

void Watch::enter(Duration budget, Duration limit) {
  limit_ = limit;
  if (!pthread_equal(thread_, pthread_self())) take_thread();
  __atomic_store_n(&turn_, turn_ + 1, __ATOMIC_RELEASE);
  budget_ns_.store(budget.count(), std::memory_order_relaxed);
  inside_.store(true, std::memory_order_release);
}

/// Before the turn changes: who sees the new turn measures on the new clock.
void Watch::take_thread() {
  thread_ = pthread_self();
  clock_.store(clock_of_this_thread(), std::memory_order_release);
}

void Watch::leave() {
  inside_.store(false, std::memory_order_seq_cst);
  budget_ns_.store(usual_budget_.count(), std::memory_order_relaxed);
  if (armed_.load(std::memory_order_seq_cst)) disarm();
}

void Watch::interrupt() {
  const std::lock_guard lock(hook_);
  arm();
}

void Watch::arm() {
  armed_.store(true, std::memory_order_seq_cst);
  if (inside_.load(std::memory_order_seq_cst)) lua_sethook(vm_, LuaVm::on_hook, LUA_MASKCOUNT, 1);
}

void Watch::disarm() {
  const std::lock_guard lock(hook_);
  lua_sethook(vm_, nullptr, 0, 0);
  armed_.store(false, std::memory_order_relaxed);
  late_.store(false, std::memory_order_relaxed);
}

bool Watch::overdue() const {
  return late_.load(std::memory_order_relaxed) && inside() && late_turn_.load(std::memory_order_relaxed) == turn();
}

void Watch::raise(lua_State* running, lua_Debug* place) const {
  lua_getinfo(running, "Sl", place);
  const auto limit_ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit_).count();
  lua_pushfstring(running, "%s:%d: ran longer than its limit of %d ms", place->short_src, place->currentline,
                  static_cast<int>(limit_ms));
  lua_error(running);
  std::abort();  // lua_error does not return, but does not say so
}

void Watch::inspect(Duration stuck_after) {
  if (!inside_.load(std::memory_order_acquire)) {
    seen_ = false;
    return;
  }
  const uint32_t now_turn = turn();
  const Duration now = time_used();
  if (!seen_ || now_turn != seen_turn_) {
    seen_ = true;
    seen_turn_ = now_turn;
    seen_at_ = now;
    in_lua_at_ = monotonic_now();
    asked_at_.reset();
    told_ = false;
    return;
  }
  if (now - seen_at_ >= budget()) end_turn(now_turn);
  look_whether_stuck(stuck_after);
}

/// Again at every look while it lasts: should one arming be lost to what the VM does at this moment, the next is not.
void Watch::end_turn(uint32_t turn) {
  const std::lock_guard lock(hook_);
  late_turn_.store(turn, std::memory_order_relaxed);
  late_.store(true, std::memory_order_relaxed);
  arm();
}

/// Lua obeys a hook at its next instruction, also where it has time left; C does not. By the wall clock, because what
/// sleeps in C uses no processor time.
void Watch::look_whether_stuck(Duration stuck_after) {
  const Duration now = monotonic_now();
  if (!asked_at_) {
    if (now - in_lua_at_ < budget()) return;
    asked_at_ = now;
  } else if (!armed_.load(std::memory_order_seq_cst)) {
    asked_at_.reset();
    in_lua_at_ = now;
    return;
  } else if (now - *asked_at_ >= stuck_after) {
    report_stuck(now - in_lua_at_);
  }
  const std::lock_guard lock(hook_);
  arm();
}

/// Neither hooks nor limits reach into C: a person must know whom to blame.
void Watch::report_stuck(Duration since) {
  if (std::exchange(told_, true)) return;
  log_.error("a script is stuck, probably in a function of C: its worker does nothing else",
             {{"app", owner_}, {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(since).count()}});
}

Duration Watch::time_used() const {
  timespec used{};
  if (clock_gettime(clock_.load(std::memory_order_acquire), &used) != 0) clock_gettime(CLOCK_MONOTONIC, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

Duration Watch::this_thread_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::shared_ptr<Watchdog> make_watchdog(Duration stuck_after) { return std::make_shared<Watchdog>(stuck_after); }

Watchdog::Watchdog(Duration stuck_after) : stuck_after_(stuck_after), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watchdog::add(Watch& watch) {
  {
    const std::lock_guard lock(mutex_);
    watches_.push_back(&watch);
  }
  changed_.notify_one();
}

void Watchdog::remove(Watch& watch) {
  const std::lock_guard lock(mutex_);
  std::erase(watches_, &watch);
}

Duration Watchdog::period() const {
  Duration least = kPeriodMax * kLooksPerBudget;
  for (const Watch* watch : watches_) least = std::min(least, watch->budget());
  return std::max(least / kLooksPerBudget, kPeriodMin);
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (watches_.empty()) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, period());
    for (Watch* watch : watches_) watch->inspect(stuck_after_);
  }
}

}  // namespace godwit::host

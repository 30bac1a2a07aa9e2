#include "host/lua_vm.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "host/running_app.h"

namespace godwit::host {
namespace {

constexpr size_t kTracebackBytesMax = 2000;
constexpr size_t kErrorBytesMax = 500;

/// Percent of what was alive after a collection at which the next begins; LuaJIT's own is 200.
constexpr size_t kCollectorPauseMin = 101;
constexpr size_t kCollectorPauseMax = 200;
constexpr int kCollectorPauseStep = 5;  ///< smaller changes are not worth a call
/// Percent of the limit at which a collection shall be under way.
constexpr size_t kHeapPercentMax = 90;
/// Percent of the limit, alive, at which a person hears of it.
constexpr size_t kHeapWarnedOfPercent = 80;

/// Whoever has used up its time gets to the watchdog's next look.
constexpr Duration kLeastBudget = 1ms;

int on_panic(lua_State* state) {
  const char* text = lua_tostring(state, -1);
  check_failed(text ? text : "a Lua error outside of protection", __FILE__, __LINE__);
}

std::string text_at_top(lua_State* state, size_t bytes_max) {
  size_t size = 0;
  const char* text = lua_tolstring(state, -1, &size);
  return std::string(text, std::min(size, bytes_max));
}

/// What was raised, without calling any of its metamethods.
std::string raised_text(lua_State* raised) {
  switch (lua_type(raised, -1)) {
    case LUA_TSTRING: return text_at_top(raised, kErrorBytesMax);
    case LUA_TNUMBER: return std::to_string(lua_tonumber(raised, -1));
    default: return std::string("a value of type ") + luaL_typename(raised, -1) + " was raised as an error";
  }
}

struct Description {
  lua_State* failed;
  std::string traceback;
};

int describe_stack(lua_State* state) {
  auto& description = *static_cast<Description*>(lua_touserdata(state, 1));
  luaL_traceback(state, description.failed, nullptr, 0);
  description.traceback = text_at_top(state, kTracebackBytesMax);
  return 0;
}

struct Replacement {
  int reference;  ///< in: of the one to be replaced
  int adopter;
  lua_State* made = nullptr;
};

int replace_coroutine(lua_State* state) {
  auto& coroutine = *static_cast<Replacement*>(lua_touserdata(state, 1));
  luaL_unref(state, LUA_REGISTRYINDEX, std::exchange(coroutine.reference, LUA_NOREF));
  lua_State* made = lua_newthread(state);
  lua_pushvalue(state, -1);
  coroutine.reference = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_rawgeti(state, LUA_REGISTRYINDEX, coroutine.adopter);
  lua_insert(state, -2);
  lua_call(state, 1, 0);
  coroutine.made = made;
  return 0;
}

struct ErrorValue {
  lua_State* failed;
  std::optional<Code> code;
  std::string text;
  Duration retry_after{};
};

constexpr double kRetryAfterMaxS = 86'400;  ///< who is to stay away for longer need not be told by the second

/// What everybody knows of the code already is not said again.
Duration retry_after_of(double seconds, Duration of_code) {
  if (!(seconds > 0)) return {};
  const auto given =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, kRetryAfterMaxS)));
  return given == of_code ? Duration::zero() : given;
}

/// Of a table that errors.lua made, whatever the script has written into it since.
int read_error_value(lua_State* state) {
  auto& value = *static_cast<ErrorValue*>(lua_touserdata(state, 1));
  lua_State* const failed = value.failed;
  lua_pushliteral(failed, "code");
  lua_rawget(failed, -2);
  const auto code = static_cast<uint32_t>(lua_tonumber(failed, -1));
  lua_pop(failed, 1);
  lua_pushliteral(failed, "message");
  lua_rawget(failed, -2);
  if (lua_type(failed, -1) == LUA_TSTRING) value.text = text_at_top(failed, kErrorBytesMax);
  lua_pop(failed, 1);
  const auto info = describe(static_cast<Code>(code));
  if (!info) return 0;
  value.code = static_cast<Code>(code);
  lua_pushliteral(failed, "retry_after");
  lua_rawget(failed, -2);
  value.retry_after = retry_after_of(lua_tonumber(failed, -1), info->retry_after);
  lua_pop(failed, 1);
  return 0;
}

int resume_named(lua_State* state, const std::string& owner) {
  const RunningApp running(owner);
  return lua_resume(state, 0);
}

int begin_collection(lua_State* state) {
  lua_gc(state, LUA_GCSTEP, 0);
  return 0;
}

int collect_all(lua_State* state) {
  lua_gc(state, LUA_GCCOLLECT, 0);
  return 0;
}

}  // namespace

LuaVm::LuaVm(const AppLimits& limits, std::shared_ptr<Watchdog> watchdog, std::string owner, Log log)
    : owner_(std::move(owner)),
      log_(log),
      burst_max_(limits.burst_max),
      cpu_max_(limits.cpu_max),
      memory_(limits.memory_bytes_max),
      watchdog_(std::move(watchdog)) {}

Result<std::unique_ptr<LuaVm>> LuaVm::create(const AppLimits& limits, std::shared_ptr<Watchdog> watchdog,
                                             uint32_t& turn, std::string owner, Log log) {
  std::unique_ptr<LuaVm> vm(new LuaVm(limits, std::move(watchdog), std::move(owner), log));
  if (Status opened = vm->open(turn); !opened) return tl::unexpected(opened.error());
  return vm;
}

Status LuaVm::open(uint32_t& turn) {
  state_ = lua_newstate(allocate, this);
  if (!state_) return fail(Code::kOutOfMemory, "no memory for a Lua state");
  lua_atpanic(state_, on_panic);
  watch_.emplace(state_, turn, burst_max_, owner_, log_);
  if (watchdog_) watchdog_->add(*watch_);
  return {};
}

LuaVm::~LuaVm() {
  if (!state_) return;
  if (watchdog_) watchdog_->remove(*watch_);
  lua_close(state_);
}

LuaVm& LuaVm::of(lua_State* running) {
  void* vm = nullptr;
  lua_getallocf(running, &vm);
  return *static_cast<LuaVm*>(vm);
}

void LuaVm::end_if_overdue(lua_State* running) {
  const Watch& watch = of(running).watch();
  lua_Debug place;
  if (watch.overdue() && lua_getstack(running, 1, &place)) watch.raise(running, &place);
}

void* LuaVm::allocate(void* self, void* block, size_t old_bytes, size_t new_bytes) {
  LuaVm& vm = *static_cast<LuaVm*>(self);
  void* resized = vm.memory_.resize(block, old_bytes, new_bytes);
  const bool hungry = new_bytes > old_bytes && vm.memory_.overdrawn();
  if (hungry && vm.hunger_ == Hunger::kNone && vm.watch_ && vm.watch_->inside()) {
    vm.hunger_ = Hunger::kToBeFed;
    vm.watch_->interrupt();
  }
  return resized;
}

void LuaVm::on_hook(lua_State* running, lua_Debug* place) {
  LuaVm& vm = of(running);
  if (vm.hunger_ != Hunger::kNone) vm.relieve(running, place);
  // The hook can come late, when the turn it was meant for is over.
  if (!vm.watch_->overdue()) return vm.watch_->disarm();
  vm.watch_->raise(running, place);
}

/// Garbage is no reason to end a script: only when what is alive exceeds the limit, it ends, and no pcall keeps it.
void LuaVm::relieve(lua_State* running, lua_Debug* place) {
  if (hunger_ == Hunger::kToBeFed) {
    lua_gc(running, LUA_GCCOLLECT, 0);
    if (!memory_.overdrawn()) {
      hunger_ = Hunger::kNone;
      return;
    }
    hunger_ = Hunger::kFatal;
  }
  lua_getinfo(running, "Sl", place);
  lua_pushfstring(running, "%s:%d: not enough memory: more than its limit of %d KiB is in use", place->short_src,
                  place->currentline, static_cast<int>(memory_.limit() / 1024));
  lua_error(running);
}

std::optional<LuaVm::Failure> LuaVm::protect(lua_CFunction function, void* argument) {
  const int status = lua_cpcall(state_, function, argument);
  if (status == 0) return std::nullopt;
  Failure failure{status == LUA_ERRMEM ? Code::kScriptMemory : Code::kScriptError, raised_text(state_), {}, {}};
  lua_settop(state_, 0);
  return failure;
}

void* LuaVm::wait_mark() {
  static char mark;
  return &mark;
}

bool LuaVm::renew(Coroutine& coroutine) {
  Replacement replacement{coroutine.reference, adopter_};
  protect(replace_coroutine, &replacement);
  coroutine.state = replacement.made;
  coroutine.reference = replacement.reference;
  return coroutine.state != nullptr;
}

std::optional<uint32_t> LuaVm::take_coroutine() {
  if (idle_.empty()) {
    idle_.push_back(static_cast<uint32_t>(coroutines_.size()));
    coroutines_.emplace_back();
  }
  const uint32_t index = idle_.back();
  if (!coroutines_[index].state && !renew(coroutines_[index])) return std::nullopt;
  idle_.pop_back();
  return index;
}

LuaVm::Outcome LuaVm::start(int reference, Duration budget) {
  const auto index = take_coroutine();
  if (!index) {
    return {Outcome::How::kFailed, 0, {Code::kScriptMemory, "no memory for a coroutine", {}, {}}};
  }
  lua_rawgeti(coroutines_[*index].state, LUA_REGISTRYINDEX, reference);
  coroutines_[*index].used = {};
  return run(*index, budget, budget);
}

LuaVm::Outcome LuaVm::resume(uint32_t coroutine) {
  coroutines_[coroutine].waits = false;
  --waiting_;
  const Duration left = std::max(cpu_max_ - coroutines_[coroutine].used, kLeastBudget);
  watch_->measure();
  const Outcome outcome = left < burst_max_ ? run(coroutine, left, cpu_max_) : run(coroutine, burst_max_, burst_max_);
  coroutines_[coroutine].used += watch_->measured();
  return outcome;
}

void LuaVm::drop(uint32_t coroutine) {
  coroutines_[coroutine].waits = false;
  --waiting_;
  renew(coroutines_[coroutine]);
  idle_.push_back(coroutine);
}

LuaVm::Outcome LuaVm::run(uint32_t index, Duration budget, Duration limit) {
  lua_State* const state = coroutines_[index].state;
  watch_->enter(budget, limit);
  const int status = resume_named(state, owner_);
  const bool overdue = watch_->overdue();
  watch_->leave();
  const bool starved = std::exchange(hunger_, Hunger::kNone) == Hunger::kFatal || status == LUA_ERRMEM;
  if (status == LUA_YIELD && lua_touserdata(state, -1) == wait_mark()) {
    lua_settop(state, 0);
    coroutines_[index].waits = true;
    ++waiting_;
    return {Outcome::How::kWaits, index, {}};
  }
  if (status == 0) {
    lua_settop(state, 0);
    idle_.push_back(index);
    pace_collector();
    warn_of_memory();
    return {Outcome::How::kDone, index, {}};
  }
  if (status == LUA_YIELD) {
    lua_settop(state, 0);
    lua_pushliteral(state, "coroutine.yield was called outside of a coroutine of the script");
  }
  const Code code = overdue ? Code::kScriptTimeout : starved ? Code::kScriptMemory : Code::kScriptError;
  Outcome failed{Outcome::How::kFailed, index, describe(state, code)};
  renew(coroutines_[index]);
  idle_.push_back(index);
  if (code == Code::kScriptMemory) protect(collect_all, nullptr);
  return failed;
}

/// LuaJIT collects again when the heap has doubled, and refuses memory without collecting first: the fuller the heap,
/// the sooner after one cycle the next must begin. A new pause counts from the end of a cycle only, so one is begun.
void LuaVm::pace_collector() {
  const size_t room_percent = kHeapPercentMax * memory_.limit() / memory_.used();
  const int pause = static_cast<int>(std::clamp(room_percent, kCollectorPauseMin, kCollectorPauseMax));
  if (std::abs(pause - collector_pause_) < kCollectorPauseStep) return;
  const bool tighter = pause < std::exchange(collector_pause_, pause);
  lua_gc(state_, LUA_GCSETPAUSE, pause);
  if (tighter) protect(begin_collection, nullptr);
}

/// Once, until there is room again.
void LuaVm::warn_of_memory() {
  const bool full = memory_.used() > memory_.limit() / 100 * kHeapWarnedOfPercent;
  if (full == warned_of_memory_) return;
  // What is unused does not count.
  if (full) protect(collect_all, nullptr);
  if (full && memory_.used() <= memory_.limit() / 100 * kHeapWarnedOfPercent) return;
  warned_of_memory_ = full;
  if (full)
    log_.warn("a script comes near to its limit of memory",
              {{"app", owner_}, {"bytes", memory_.used()}, {"bytes_max", memory_.limit()}});
}

bool LuaVm::is_error_value(lua_State* state) const {
  if (error_type_ == LUA_NOREF || !lua_istable(state, -1) || !lua_checkstack(state, 2)) return false;
  if (!lua_getmetatable(state, -1)) return false;
  lua_rawgeti(state, LUA_REGISTRYINDEX, error_type_);
  const bool same = lua_rawequal(state, -1, -2) != 0;
  lua_pop(state, 2);
  return same;
}

LuaVm::Failure LuaVm::describe(lua_State* failed, Code code) {
  Description description{failed, {}};
  protect(describe_stack, &description);
  if (code == Code::kScriptError && is_error_value(failed)) {
    ErrorValue value{failed, {}, {}};
    protect(read_error_value, &value);
    return {code, std::move(value.text), value.code, value.retry_after, std::move(description.traceback)};
  }
  return {code, raised_text(failed), std::nullopt, {}, std::move(description.traceback)};
}

}  // namespace godwit::host

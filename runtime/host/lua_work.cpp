#include "host/lua_work.h"

#include <string_view>

#include "host/lua_app.h"
#include "port/mailbox.h"
#include "port/work_pool.h"

// Lua errors leave these functions by unwinding: what owns memory lies in the LuaWork, or in inner functions which do
// not raise.

namespace godwit::host {
namespace {

/// The time at which a piece of work was begun.
class StandingClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return unix_us_; }
  void set(Timestamp now, int64_t unix_us) { now_ = now, unix_us_ = unix_us; }

 private:
  Timestamp now_;
  int64_t unix_us_ = 0;
};

Wake to_wake(Result<std::string> outcome) {
  if (!outcome) return {.text = outcome.error().text, .number = static_cast<double>(outcome.error().code)};
  return {.body = std::move(*outcome)};
}

}  // namespace

/// A Lua state for work, with all that it refers to.
struct LuaWork::Vm {
  explicit Vm(const LuaWork& work)
      : app(work.source_, work.generation_, work.limits_,
            {.clock = clock,
             .timers = timers,
             .log = work.world_.log,
             .watchdog = work.world_.watchdog,
             .worker_index = work.world_.worker_index,
             .worker_count = work.world_.worker_count,
             .kv = work.world_.kv,
             .entropy = work.world_.entropy}) {}

  StandingClock clock;
  TimerHeap timers;
  LuaApp app;
};

LuaWork::LuaWork(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits,
                 const AppWorld& world)
    : source_(std::move(source)),
      generation_(generation),
      limits_(limits),
      world_(world),
      answers_(std::make_shared<AnswerBox>(world.mailbox)) {}

LuaWork::~LuaWork() = default;

/// The pool keeps this object, but neither the VM that asked nor its worker.
Status LuaWork::start(WaitToken token, std::string_view call) {
  if (!world_.pool || !world_.mailbox) return fail(Code::kNotSupported, "there is no pool here");
  if (under_way_ >= kUnderWayMax) return fail(Code::kLimitReached, "more than 1,000 functions run or wait to be run");
  const auto work = [self = shared_from_this(), token, call = std::string(call), now = world_.clock.now(),
                     unix_us = world_.clock.unix_us()] {
    self->answers_->put(token, to_wake(self->run(call, now, unix_us)));
  };
  if (!world_.pool->run(work)) return fail(Code::kLimitReached, "the pool has more to do than it takes");
  ++under_way_;
  return {};
}

std::unique_ptr<LuaWork::Vm> LuaWork::take_idle() {
  const std::lock_guard lock(mutex_);
  return std::exchange(idle_, nullptr);
}

Result<std::string> LuaWork::run(const std::string& call, Timestamp now, int64_t unix_us) {
  std::unique_ptr<Vm> vm = take_idle();
  const bool fresh = vm == nullptr;
  if (fresh) vm = std::make_unique<Vm>(*this);
  vm->clock.set(now, unix_us);
  if (fresh) {
    if (Status loaded = vm->app.load_for_work(); !loaded) return tl::unexpected(std::move(loaded.error()));
  }
  Result<std::string> result = vm->app.work(call);
  const std::lock_guard lock(mutex_);
  if (!idle_) idle_ = std::move(vm);
  return result;
}

int LuaWork::begin(lua_State* state) {
  auto& self = *static_cast<LuaWork*>(lua_touserdata(state, lua_upvalueindex(1)));
  const auto token = static_cast<WaitToken>(luaL_checknumber(state, 1));
  size_t size = 0;
  const char* call = luaL_checklstring(state, 2, &size);
  self.error_ = {Code::kOk, {}};
  if (Status begun = self.start(token, {call, size}); !begun) self.error_ = std::move(begun.error());
  if (self.error_.code == Code::kOk) {
    lua_pushboolean(state, 1);
    return 1;
  }
  lua_pushnil(state);
  lua_pushinteger(state, static_cast<lua_Integer>(self.error_.code));
  lua_pushlstring(state, self.error_.text.data(), self.error_.text.size());
  return 3;
}

void LuaWork::add_to(lua_State* state) {
  lua_pushlightuserdata(state, this);
  lua_pushcclosure(state, begin, 1);
  lua_setfield(state, -2, "begin_work");
}

}  // namespace godwit::host

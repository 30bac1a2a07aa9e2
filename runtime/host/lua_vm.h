#pragma once

#include <lua.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app.h"
#include "host/lua_memory.h"
#include "host/watchdog.h"

namespace godwit::host {

/// A LuaJIT state under limits of memory and time. Everything that can raise runs protected in here: a script's error,
/// its endless loop or its hunger for memory comes out as a Failure, and the VM can be used on.
class LuaVm {
 public:
  struct Failure {
    Code code = Code::kScriptError;  ///< or kScriptTimeout, kScriptMemory
    std::string text;                ///< "echo/main.lua:12: …"
    std::optional<Code> chosen;      ///< the script raised an error value of its own: `text` is its message
    Duration retry_after{};          ///< of such a value, when it says more than its code
    std::string traceback;
  };

  struct Outcome {
    enum class How : uint8_t { kDone, kWaits, kFailed } how = How::kDone;
    uint32_t coroutine = 0;  ///< that ran
    Failure failure;
  };

  /// What a coroutine yields to wait: a value that no script can make.
  static void* wait_mark();

  /// `turn`: see Watch. Without a watchdog time is not limited. `owner` is what the log calls it.
  static Result<std::unique_ptr<LuaVm>> create(const AppLimits& limits, std::shared_ptr<Watchdog> watchdog,
                                               uint32_t& turn, std::string owner, Log log);
  ~LuaVm();
  LuaVm(const LuaVm&) = delete;
  LuaVm& operator=(const LuaVm&) = delete;

  /// The VM that a state or coroutine belongs to.
  static LuaVm& of(lua_State* running);

  /// For functions that could take long: raises when the running turn must end. Called from a frame that owns nothing.
  static void end_if_overdue(lua_State* running);

  lua_State* state() { return state_; }
  Watch& watch() { return *watch_; }
  size_t memory_bytes() const { return memory_.used(); }

  /// Calls trusted set-up code with `argument` as its one light userdata.
  std::optional<Failure> protect(lua_CFunction function, void* argument);

  /// Runs the function of the registry's `reference` in a pooled coroutine, for at most `budget` of processor time. It
  /// ends, fails, or waits: then `coroutine` names it until it was resumed to its end or dropped. After a failure for
  /// want of memory everything unused is collected.
  Outcome start(int reference, Duration budget);
  /// For at most `burst_max`, and what is left of `cpu_max` since it first waited.
  Outcome resume(uint32_t coroutine);
  /// Of one that waits: it never goes on.
  void drop(uint32_t coroutine);
  /// That are waiting.
  size_t waiting() const { return waiting_; }

  /// The turn took too long or too much, and is being ended.
  bool must_end() const { return hunger_ == Hunger::kFatal || watch_->overdue(); }

  /// For Watch: the hook that ends what took too long or too much.
  static void on_hook(lua_State* running, lua_Debug* place);

  /// The metatable of error values (errors.lua), which scripts may raise as well.
  void set_error_type(int reference) { error_type_ = reference; }

  /// Called with every coroutine that is made, before its first use.
  void set_adopter(int reference) { adopter_ = reference; }

 private:
  LuaVm(const AppLimits& limits, std::shared_ptr<Watchdog> watchdog, std::string owner, Log log);
  static void* allocate(void* vm, void* block, size_t old_bytes, size_t new_bytes);
  Status open(uint32_t& turn);
  void relieve(lua_State* running, lua_Debug* place);
  struct Coroutine {
    lua_State* state = nullptr;  ///< null: there was no memory for one
    int reference = LUA_NOREF;
    bool waits = false;
    Duration used{};  ///< processor time since it first waited
  };
  std::optional<uint32_t> take_coroutine();
  bool renew(Coroutine& coroutine);
  Outcome run(uint32_t index, Duration budget, Duration limit);
  void warn_of_memory();
  void pace_collector();
  Failure describe(lua_State* failed, Code code);
  bool is_error_value(lua_State* state) const;

  const std::string owner_;
  const Log log_;
  const Duration burst_max_;
  const Duration cpu_max_;
  LuaMemory memory_;
  bool warned_of_memory_ = false;
  /// What the running code still may do: anything; anything until the hook has collected what is unused; nothing.
  enum class Hunger : uint8_t { kNone, kToBeFed, kFatal } hunger_ = Hunger::kNone;
  std::shared_ptr<Watchdog> watchdog_;
  std::optional<Watch> watch_;
  lua_State* state_ = nullptr;
  std::vector<Coroutine> coroutines_;
  std::vector<uint32_t> idle_;
  size_t waiting_ = 0;
  int adopter_ = LUA_NOREF;
  int error_type_ = LUA_NOREF;
  int collector_pause_ = 200;  ///< as LuaJIT begins
};

}  // namespace godwit::host

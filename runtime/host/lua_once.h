#pragma once

#include <lua.hpp>

#include <map>
#include <memory>
#include <string>

#include "host/lua_bridge.h"
#include "host/once.h"

namespace godwit::host {

/// gw.once below its Lua half: asks for a key, keeps the rights to execute that the VM was given by number, and ends
/// those whose coroutine died. Belongs to one VM and must outlive it.
class LuaOnce {
 public:
  LuaOnce(Once* once, LuaBridge& bridge, std::string space);
  ~LuaOnce();
  LuaOnce(const LuaOnce&) = delete;
  LuaOnce& operator=(const LuaOnce&) = delete;

  /// Adds the table `once` to the table on top of the stack.
  void add_to(lua_State* state);

  /// The coroutine that ran in the name of this message and task is dead: what it executed broke off.
  void break_off(double message, double task);

 private:
  struct Run {
    std::shared_ptr<OnceRun> run;
    double message = 0;  ///< 0 until it is entered, as `task`
    double task = 0;
  };

  static int begin(lua_State* state);
  static int enter(lua_State* state);
  static int finish(lua_State* state);
  static int drop(lua_State* state);
  void begin(WaitToken token, std::string_view key, const OnceOptions& options);
  void finish(double number, WaitToken token, OnceOutcome outcome);
  Wake to_wake(Result<Once::Begun> begun);

  Once* once_;
  LuaBridge& bridge_;
  const std::string space_;
  std::map<double, Run> runs_;
  double last_ = 0;
  std::shared_ptr<LuaOnce*> self_;  ///< completions hold it weakly
};

}  // namespace godwit::host

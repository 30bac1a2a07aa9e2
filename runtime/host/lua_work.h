#pragma once

#include <lua.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/answer_box.h"
#include "host/app.h"
#include "host/lua_waits.h"

namespace godwit::host {

/// Functions of an app's modules, run by threads of the pool in Lua states of their own: what would hold up the worker.
/// They see the app's files, gw's utilities and the node-local store, and nobody's sessions; time stands still for
/// each. Begun on the worker's thread; what is under way may outlive the app, and is then heard of by nobody.
class LuaWork : public std::enable_shared_from_this<LuaWork> {
 public:
  static constexpr size_t kUnderWayMax = 1000;  ///< of one VM

  LuaWork(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits, const AppWorld& world);
  ~LuaWork();
  LuaWork(const LuaWork&) = delete;
  LuaWork& operator=(const LuaWork&) = delete;

  /// Adds to the table on top of the stack:
  ///   begin_work(token, call) → true | nil, code, text
  /// `call` is JSON, as is what the token is woken with: the value, or the error's code as number and its text.
  void add_to(lua_State* state);

  /// Wakes whoever waits for what is through; with every turn.
  void deliver(LuaWaits& waits) { under_way_ -= answers_->deliver(waits); }

 private:
  struct Vm;
  static int begin(lua_State* state);
  Status start(WaitToken token, std::string_view call);
  std::unique_ptr<Vm> take_idle();
  Result<std::string> run(const std::string& call, Timestamp now, int64_t unix_us);

  const std::shared_ptr<const AppSource> source_;
  const uint32_t generation_;
  const AppLimits limits_;
  const AppWorld world_;  ///< the worker's; of its clock and timers nothing is touched in the pool
  const std::shared_ptr<AnswerBox> answers_;
  size_t under_way_ = 0;  ///< and not delivered yet
  Error error_;           ///< of the function in progress
  std::mutex mutex_;
  std::unique_ptr<Vm> idle_;  ///< one is kept: making another takes some milliseconds
};

}  // namespace godwit::host

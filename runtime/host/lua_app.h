#pragma once

#include "host/app.h"
#include "host/lua_bridge.h"
#include "host/lua_functions.h"
#include "host/lua_vm.h"
#include "host/repeat_filter.h"

namespace godwit::host {

/// An app in LuaJIT: main.lua ran in its VM and bound its handlers; batches go through one loop on the Lua side.
class LuaApp final : public App {
 public:
  LuaApp(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits, AppWorld world);

  /// Makes the VM and runs main.lua. After an error the object is only good for being destroyed.
  Status load();

  size_t handle(std::span<const Delivery> batch, ReplySink& sink) override;
  std::string_view name() const override { return context_.name; }
  uint32_t generation() const override { return generation_; }
  const std::vector<Registration>& registrations() const override { return context_.registrations; }
  AppStats stats() const override;

 private:
  static int set_up(lua_State* state);
  void push_host(lua_State* state);
  size_t run_batch(std::span<const Delivery> batch, ReplySink& sink);
  void take_failure(const LuaVm::Failure& failure);
  void log_failure(const LuaVm::Failure& failure);

  std::shared_ptr<const AppSource> source_;
  const uint32_t generation_;
  const AppLimits limits_;
  AppWorld world_;
  LuaContext context_;
  LuaBridge bridge_;
  RepeatFilter failures_logged_;
  AppStats stats_;
  int load_ = LUA_NOREF;
  int dispatch_ = LUA_NOREF;
  std::unique_ptr<LuaVm> vm_;  // goes first: its Lua code refers to the others
};

}  // namespace godwit::host

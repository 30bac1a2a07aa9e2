#pragma once

#include <string>
#include <utility>

#include "base/log.h"
#include "host/handler.h"
#include "host/lua_vm.h"
#include "host/repeat_filter.h"
#include "port/clock.h"

namespace godwit::host {

/// How an app's failures are told: all there is to know of them to the log, a flood of the same one counted; to peers,
/// whom to ask about it.
class LuaFailures {
 public:
  /// `app`: "echo@3".
  LuaFailures(const std::string& app, const Log& log, const Clock& clock) : app_(app), log_(log), clock_(clock) {}

  /// `delivery`: the message that its handler failed with; null: it was none.
  void log(const LuaVm::Failure& failure, const Delivery* delivery);
  /// What a sender hears.
  std::pair<Code, std::string> verdict_of(const LuaVm::Failure& failure) const;
  std::string told(Code code) const;

 private:
  const std::string& app_;
  const Log& log_;
  const Clock& clock_;
  RepeatFilter logged_;
};

}  // namespace godwit::host

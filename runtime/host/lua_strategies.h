#pragma once

#include <lua.hpp>

#include <optional>
#include <vector>

#include "transfer/plan.h"

namespace godwit::host {

/// What an app plans for how bodies travel: the ranges it has declared while it loaded, and one question at a time on
/// its way into Lua and back. One per VM, which it must outlive; worker's thread.
class LuaStrategies {
 public:
  static constexpr size_t kRangesMax = 16;

  const std::vector<transfer::SizeRange>& ranges() const { return ranges_; }

  /// Before Lua is entered. `plan` is the default's.
  void ask(size_t range, const transfer::Question& question, const transfer::Plan& plan);
  /// After it; nullopt: the app leaves it to the default.
  std::optional<transfer::Plan> take_answer();

  /// Adds the table `strategies` to the table on top of the stack:
  ///   declare(min, max | nil) → nil | reason    while the app loads
  ///   question() → number of the range, info
  ///   answer(class, lane, buffer, chunk, timeout, retries, streams, compress)   nil: as the default has it
  void add_to(lua_State* state);

 private:
  friend struct LuaStrategyFunctions;

  std::vector<transfer::SizeRange> ranges_;
  size_t range_ = 0;
  transfer::Question question_;
  transfer::Plan plan_;
  bool answered_ = false;
};

}  // namespace godwit::host

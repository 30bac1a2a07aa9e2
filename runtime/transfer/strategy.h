#pragma once

#include <string_view>
#include <vector>

#include "transfer/plan.h"

namespace godwit::transfer {

/// Plans for bodies of some sizes instead of the default. The same question has the same answer for as long as it
/// lives.
class Strategy {
 public:
  enum class Answer : uint8_t { kPlanned, kLeftToDefault, kFailed };

  virtual ~Strategy() = default;
  /// The unit it belongs to, without its generation: how it appears in metrics.
  virtual std::string_view strategy_name() const = 0;
  /// What it plans for, at least one, each by its place in the list.
  virtual std::vector<SizeRange> ranges() const = 0;
  /// `plan` comes in as the default's. What failed has been counted and logged when this returns.
  virtual Answer make_plan(size_t range, const Question& question, Plan& plan) = 0;
  /// A plan of its own was refused, and why: to be counted and logged.
  virtual void on_plan_refused(const Question& question, const Error& why) = 0;
};

}  // namespace godwit::transfer

#pragma once

#include "base/time.h"

namespace godwit {

/// Time as an argument. `now` is the time of the current loop turn or later, and never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  /// The time this very moment, which within a turn may be later than `now`: for budgets and for how long something
  /// took.
  virtual Timestamp measure() const { return now(); }
  /// Wall time, for what people read and certificates: microseconds since 1970. May jump.
  virtual int64_t unix_us() const = 0;
};

}  // namespace godwit

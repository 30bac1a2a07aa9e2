#pragma once

#include "port/clock.h"

namespace godwit::io {

/// The machine's monotonic clock, read now.
Timestamp monotonic_now();

/// The machine's wall clock, read now: microseconds since 1970.
int64_t wall_clock_us();

/// The machine's clocks, read on each call: for what runs outside a loop, such as the log. Safe from any thread.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override { return monotonic_now(); }
  int64_t unix_us() const override { return wall_clock_us(); }
};

}  // namespace godwit::io

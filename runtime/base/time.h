#pragma once

#include <chrono>
#include <cstdint>

namespace godwit {

using Duration = std::chrono::nanoseconds;

/// The monotonic time line that the core lives on. It has no `now()` on purpose: time is an argument (port/clock.h), so
/// that a whole server can run on a virtual clock.
struct Monotonic {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using Timestamp = Monotonic::time_point;

inline constexpr Timestamp kNever = Timestamp::max();

inline constexpr uint64_t to_ns(Timestamp at) { return static_cast<uint64_t>(at.time_since_epoch().count()); }
inline constexpr Timestamp from_ns(uint64_t ns) { return Timestamp(Duration(static_cast<Duration::rep>(ns))); }

using namespace std::chrono_literals;

}  // namespace godwit

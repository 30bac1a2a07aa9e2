#include "io/system_clock.h"

#include <ctime>

namespace godwit::io {
namespace {

int64_t read_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Timestamp monotonic_now() { return Timestamp(Duration(read_ns(CLOCK_MONOTONIC))); }

int64_t wall_clock_us() { return read_ns(CLOCK_REALTIME) / 1000; }

}  // namespace godwit::io

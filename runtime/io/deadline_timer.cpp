#include "io/deadline_timer.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace godwit::io {
namespace {

itimerspec at(Timestamp deadline) {
  if (deadline == kNever) return {};
  constexpr uint64_t kNsPerSecond = 1'000'000'000;
  const uint64_t ns = std::max<uint64_t>(to_ns(deadline), 1);  // zero would disarm
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(ns / kNsPerSecond);
  spec.it_value.tv_nsec = static_cast<long>(ns % kNsPerSecond);
  return spec;
}

}  // namespace

Result<DeadlineTimer> DeadlineTimer::create() {
  FileDescriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd) return os_error("timerfd", errno);
  return DeadlineTimer(std::move(fd));
}

// Setting the time also takes back an expiry that was not read.
void DeadlineTimer::arm(Timestamp deadline) {
  if (!expired_ && deadline >= armed_) return;
  const itimerspec spec = at(deadline);
  GW_CHECK(timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
  armed_ = deadline;
  expired_ = false;
}

}  // namespace godwit::io

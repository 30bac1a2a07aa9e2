#include "admin/wake_up.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace godwit::admin {
namespace {

bool add(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Result<WakeUp> WakeUp::watch(int fd) {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll || !timer || !add(epoll.get(), fd) || !add(epoll.get(), timer.get())) {
    return fail(Code::kSocketFailed, fmt::format("admin: {}", std::strerror(errno)));
  }
  return WakeUp(std::move(epoll), std::move(timer));
}

void WakeUp::set_after(std::optional<Duration> delay) {
  itimerspec spec{};
  if (delay) {
    // All zeros would disarm it.
    const auto ns = std::max<Duration::rep>(delay->count(), 1);
    spec.it_value = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  }
  // Setting it anew also takes back that it has fired. It fails for malformed times only.
  timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

}  // namespace godwit::admin

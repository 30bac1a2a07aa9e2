#include "io/stop_guard.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/check.h"
#include "io/system_clock.h"

namespace godwit::io {
namespace {

/// Two may be one person's impatience; the server closes its connections at the second.
constexpr int kStopsMax = 3;

sigset_t handled() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

int left_ms(Timestamp deadline) {
  if (deadline == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
}

}  // namespace

void StopGuard::hold_signals() {
  const sigset_t signals = handled();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

StopGuard::StopGuard(Duration patience, std::function<void(int)> on_signal, std::function<void()> give_up)
    : patience_(patience), on_signal_(std::move(on_signal)), give_up_(std::move(give_up)) {
  const sigset_t signals = handled();
  signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  over_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  GW_CHECK(signals_ && over_);
  thread_ = std::thread([this] { run(); });
}

StopGuard::~StopGuard() {
  const uint64_t one = 1;
  GW_CHECK(write(over_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

void StopGuard::run() {
  for (;;) {
    std::array<pollfd, 2> waiting{{{over_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), left_ms(deadline_));
    if (waiting[0].revents != 0) return;
    signalfd_siginfo info;
    bool patient = monotonic_now() < deadline_;
    while (patient && read(signals_.get(), &info, sizeof info) == sizeof info)
      patient = take(static_cast<int>(info.ssi_signo));
    if (patient) continue;
    give_up_();
    _exit(1);
  }
}

/// False: nobody waits any longer.
bool StopGuard::take(int signal) {
  if (signal != SIGHUP) {
    if (++stops_ == 1) deadline_ = monotonic_now() + patience_;
    if (stops_ == kStopsMax) return false;
  }
  on_signal_(signal);
  return true;
}

}  // namespace godwit::io

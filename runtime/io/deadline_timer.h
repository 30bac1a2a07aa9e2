#pragma once

#include "base/time.h"
#include "io/file_descriptor.h"
#include "io/os_error.h"

namespace godwit::io {

/// Wakes the loop at a deadline, exact to the kernel's timers: a timerfd, because epoll and libuv's timers count in
/// whole milliseconds, in which a loop either spins or is late for the pacing of packets. One per loop; all deadlines
/// share it.
class DeadlineTimer {
 public:
  static Result<DeadlineTimer> create();

  int fd() const { return fd_.get(); }

  /// Makes the descriptor readable at `deadline` or before. A later deadline than the armed one costs nothing: the
  /// timer goes off at the old time and is armed again then, which is cheaper than a system call for each packet that
  /// moves a deadline.
  void arm(Timestamp deadline);

  /// To be called when the descriptor is readable; it stays so until the next `arm`.
  void expired() { expired_ = true; }

 private:
  explicit DeadlineTimer(FileDescriptor fd) : fd_(std::move(fd)) {}

  FileDescriptor fd_;
  Timestamp armed_ = kNever;
  bool expired_ = false;
};

}  // namespace godwit::io

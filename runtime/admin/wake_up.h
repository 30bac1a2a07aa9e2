#pragma once

#include <optional>

#include "admin/descriptor.h"
#include "base/result.h"
#include "base/time.h"

namespace godwit::admin {

/// One descriptor that is readable while another one is, or when a time has come: so that whoever watches descriptors
/// needs no timer for the HTTP library.
class WakeUp {
 public:
  static Result<WakeUp> watch(int fd);

  int fd() const { return epoll_.get(); }
  /// From now; replaces the last one. None: only the descriptor wakes.
  void set_after(std::optional<Duration> delay);

 private:
  WakeUp(Descriptor epoll, Descriptor timer) : epoll_(std::move(epoll)), timer_(std::move(timer)) {}

  Descriptor epoll_;
  Descriptor timer_;
};

}  // namespace godwit::admin

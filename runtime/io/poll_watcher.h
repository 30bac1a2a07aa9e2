#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "io/uv_handle.h"

namespace godwit::io {

class Loop;

/// Tells when a descriptor that belongs to somebody else can be read: the epoll descriptor of an HTTP library, a pipe.
/// Keeps telling on each turn until there is nothing left to read. The descriptor must stay open for the watcher's
/// life.
class PollWatcher {
 public:
  static Result<std::unique_ptr<PollWatcher>> watch(Loop& loop, int fd, std::function<void()> on_readable);

 private:
  PollWatcher(Loop& loop, std::function<void()> on_readable) : loop_(loop), on_readable_(std::move(on_readable)) {}

  Loop& loop_;
  std::function<void()> on_readable_;
  UvHandle<uv_poll_s> handle_;
};

}  // namespace godwit::io

#pragma once

#include <functional>

namespace godwit {

/// Threads for what would hold up a loop: blocking calls, long computations. Work is done in no particular order, and
/// touches nothing that belongs to a loop; what it found goes back by a Mailbox.
class WorkPool {
 public:
  virtual ~WorkPool() = default;

  /// From any thread. False: too much is waiting, and `work` will never run. Work that still waits when the pool ends
  /// is dropped.
  [[nodiscard]] virtual bool run(std::function<void()> work) = 0;
};

}  // namespace godwit

#pragma once

#include <functional>

namespace godwit {

/// The way into another thread's objects: a piece of work, with the values it carries, is run later on the thread that
/// owns them. Work from one thread runs in the order in which it was posted. Bounded: at the bound `post` refuses, the
/// owner of the mailbox counts it, and the caller decides what that means. Safe from any thread.
class Mailbox {
 public:
  virtual ~Mailbox() = default;

  /// False: the mailbox is full, and `work` will never run. Work that still waits when its owner goes is dropped unrun.
  [[nodiscard]] virtual bool post(std::function<void()> work) = 0;
};

}  // namespace godwit

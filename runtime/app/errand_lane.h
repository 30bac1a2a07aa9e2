#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "app/errand.h"
#include "port/mailbox.h"

namespace godwit::app {

/// The way from one worker to another: errands gather during a turn and travel together, in their order. Bounded over
/// all that has not been run at the far end. Belongs to the thread of the worker that sends.
class ErrandLane {
 public:
  static constexpr size_t kErrandsMax = 10'000;
  static constexpr size_t kBytesMax = 32 << 20;

  /// `run` is called on the other worker's thread. The lane must outlive the mailbox's thread.
  ErrandLane(Mailbox& mailbox, std::function<void(std::vector<Errand>& errands)> run)
      : mailbox_(mailbox), run_(std::move(run)) {}

  /// Whether another errand may be pushed. Answers need not ask: there are no more of them than errands that were
  /// let in at the other end.
  bool has_room() const;
  void push(Errand errand);

  /// Sends what has gathered. False when the mailbox is full; it is kept, and the next flush tries again.
  bool flush();

 private:
  Mailbox& mailbox_;
  const std::function<void(std::vector<Errand>&)> run_;
  std::vector<Errand> gathered_;
  size_t gathered_bytes_ = 0;
  // With those on their way, which the far end takes off.
  std::atomic<size_t> errands_{0};
  std::atomic<size_t> bytes_{0};
};

}  // namespace godwit::app

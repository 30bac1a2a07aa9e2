#pragma once

#include <functional>
#include <optional>
#include <variant>

#include "app/errand.h"
#include "base/slot_map.h"
#include "base/timer_heap.h"
#include "session/reply.h"
#include "session/session.h"

namespace godwit::app {

/// Something begun that somebody will hear the end of.
struct Operation {
  /// Begun by another worker, which gets the reply.
  struct Relay {
    uint32_t worker;
    OperationId operation;
  };
  struct Broadcast {
    std::function<void(const host::Fanout&)> done;
    size_t workers_left;
    host::Fanout outcome;
  };
  using Stats = std::function<void(Result<host::SessionStats>)>;
  using End = std::variant<host::Completion, Relay, Broadcast, Stats>;

  Operation(End whoever, std::function<void(Timestamp)> on_deadline)
      : end(std::move(whoever)), deadline_timer(std::move(on_deadline)) {}
  End end;
  Timer deadline_timer;
  /// Of a request: where it went, so that it can be withdrawn.
  struct Sent {
    session::SessionId session;  ///< of this worker, and the message's id there; or
    uint64_t message_id = 0;
    std::optional<uint32_t> worker;  ///< the other worker that has it
  };
  std::optional<Sent> sent = std::nullopt;
};

/// What one worker has begun, for itself or for others, and not yet heard the end of. Each ends once: by an answer or
/// by its deadline. Worker's thread.
class Operations final : public session::ReplyWaiter {
 public:
  static constexpr size_t kOperationsMax = 100'000;

  /// `relay` takes replies that belong to other workers.
  Operations(TimerHeap& timers, std::function<void(const Operation::Relay&, const session::Reply&)> relay)
      : timers_(timers), relay_(std::move(relay)) {}

  /// PromiseLimit at the bound. kNever: something else makes sure that it ends.
  Result<OperationId> begin(Operation::End end, Timestamp deadline);
  void note_sent(OperationId id, Operation::Sent sent);
  std::optional<Operation::Sent> sent(OperationId id);
  /// It never began after all: nobody hears anything.
  void forget(OperationId id);

  // The ends; for an operation that ended before they do nothing.
  void reply(OperationId id, const session::Reply& reply);
  /// One worker's share; the last one ends it.
  void share(OperationId id, const host::Fanout& outcome);
  void stats(OperationId id, Result<host::SessionStats> stats);

  /// From sessions: the cookie is the id.
  void on_reply(uint64_t cookie, const session::Reply& answer) override {
    reply(OperationId::from_u64(cookie), answer);
  }
  session::Waiting waiting(OperationId id) { return id ? session::Waiting{this, id.to_u64()} : session::Waiting{}; }

  size_t size() const { return operations_.size(); }
  /// Destroys what ended; outside of any callback.
  void reap() { operations_.reap(); }

 private:
  std::optional<Operation::End> take(OperationId id);

  TimerHeap& timers_;
  const std::function<void(const Operation::Relay&, const session::Reply&)> relay_;
  SlotMap<Operation> operations_;
};

}  // namespace godwit::app

#pragma once

#include <tsl/robin_map.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "app/queued_message.h"
#include "host/handler.h"
#include "session/reply.h"

namespace godwit::app {

/// Commands with an idempotency key, whose handlers want them executed once: those about which it is being asked
/// whether to execute them, and the answers that are sent once they are kept.
class KeyedCommands {
 public:
  /// The header that names a command, so that it is executed once however often it is sent.
  static constexpr std::string_view kKeyHeader = "idempotency-key";

  struct Events {
    /// It is to be executed: its `run` is set.
    std::function<void(host::Ticket, QueuedMessage)> execute;
    /// It was executed before, or nothing is known about that: this is its answer.
    std::function<void(host::Ticket, const QueuedMessage&, const host::OnceOutcome&)> answer;
    /// The answer of a command that was executed is kept, so that its sender may hear it.
    std::function<void(const ReplyAddress&, const host::OnceOutcome&)> kept;
  };

  KeyedCommands(const Clock& clock, Events events) : clock_(clock), events_(std::move(events)) {}

  /// Its key; null: it goes to its handler without being asked about.
  static const wire::Header* key_of(const QueuedMessage& queued, const host::Handler* handler);
  /// Comes to `execute` or `answer`, before this returns or later.
  void ask(host::Once& once, const host::Delivery& delivery, QueuedMessage queued, host::OnceOptions::BrokenOff broken);
  /// What came of an execution. Comes to `kept`, before this returns or later.
  void keep(std::shared_ptr<host::OnceRun> run, const ReplyAddress& to, const session::Reply& reply);

  bool asks_about(host::Ticket ticket) const { return asked_.contains(ticket.bits); }
  /// The answer to this command is not sent yet, because it is being kept.
  bool keeps(session::SessionId session, uint64_t message_id) const {
    return kept_for_.contains({session.to_u64(), message_id});
  }
  size_t asked() const { return asked_.size(); }
  size_t keeping() const { return kept_for_.size(); }

 private:
  void on_begun(host::Ticket ticket, Result<host::Once::Begun> begun);

  const Clock& clock_;
  Events events_;
  tsl::robin_map<uint64_t, QueuedMessage> asked_;     ///< by ticket
  std::set<std::pair<uint64_t, uint64_t>> kept_for_;  ///< by session and message, whose answers are being kept
  std::shared_ptr<KeyedCommands*> self_ = std::make_shared<KeyedCommands*>(this);  ///< what comes later holds it weakly
};

}  // namespace godwit::app

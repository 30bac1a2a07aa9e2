#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "app/keyed_commands.h"
#include "app/queued_message.h"
#include "app/session_holds.h"
#include "app/ticket_table.h"
#include "base/log.h"
#include "base/worker_metrics.h"
#include "host/codec.h"
#include "host/handler.h"
#include "port/clock.h"
#include "routing/route_table.h"
#include "session/session.h"

namespace godwit::app {

struct DispatcherConfig {
  size_t queue_messages_max = 1000;   ///< waiting for a handler; beyond, senders get DispatcherFull at once
  size_t queue_bytes_max = 64 << 20;  ///< the same: when this is reached, nothing more is queued
  Duration turn_budget = 20ms;        ///< handlers run so long per loop turn; then the network gets its turn
  size_t batch_messages_max = 64;     ///< enter a handler together
  size_t body_bytes_max = 1 << 20;    ///< of a message or reply, once it is translated
};

/// The last stretch of a message: finds its handler, waits in a bounded queue, enters the handler in a batch, and takes
/// the verdict back to the session it came from. One per worker.
class Dispatcher final : public host::ReplySink {
 public:
  static constexpr uint8_t kHopsMax = 8;  ///< of one message from handler to handler; more is a loop

  /// What is live right now; may change between two batches, never inside one.
  class Handlers {
   public:
    virtual ~Handlers() = default;
    virtual const routing::Target* find(wire::Kind kind, std::string_view action) = 0;
    /// The unit's live generation; null when it is gone.
    virtual host::Handler* handler(uint32_t unit) = 0;
    /// Whether anybody says who may do what. Then `authorize` is asked about every message before its handler.
    virtual bool authorizes() const { return false; }
    /// One for each message of a batch for this unit: whether it is allowed.
    virtual std::vector<bool> authorize(uint32_t, std::span<const host::Delivery> batch, host::ReplySink&) {
      return std::vector<bool>(batch.size(), true);
    }
    /// Whether anybody translates bodies. Then `codec` is asked about every message that says what its body is.
    virtual bool translates() const { return false; }
    /// Null: bodies of this type go to their handlers as they came.
    virtual host::Codec* codec(std::string_view /*content_type*/) { return nullptr; }
    /// A unit whose messages wait for the moment, because it is brought to rest for its successor.
    virtual std::optional<uint32_t> resting() const { return std::nullopt; }
    /// Null: nothing is executed once.
    virtual host::Once* once() { return nullptr; }
    /// Who takes the verdict on a ticket that is not the dispatcher's own; null: nobody.
    virtual host::ReplySink* carrier() { return nullptr; }
    /// The unit's handler has had so many messages, at least one, together.
    virtual void note_handled(uint32_t /*unit*/, Duration /*took*/, size_t /*messages*/) {}
    /// Goes on with what waited and can go on now, as long as `sink` has not had enough. True when something is left.
    virtual bool run_ready(host::ReplySink& sink) = 0;
    /// Nobody waits any more for the answer to a message that this unit had suspended; see Handler::withdraw.
    virtual void withdraw(uint32_t, host::Ticket, host::ReplySink&) {}
    /// Moves on when what `find` answers may have changed: targets found before are then looked up again.
    virtual uint64_t version() const = 0;
  };
  /// Finds sessions again when verdicts come.
  class Sessions {
   public:
    virtual ~Sessions() = default;
    virtual session::Session* find_session(session::SessionId id) = 0;
    virtual const host::SessionView* view_session(session::SessionId id) = 0;
  };

  Dispatcher(const DispatcherConfig& config, const Clock& clock, WorkerMetrics& metrics, Log log, Handlers& handlers,
             Sessions& sessions);

  /// Queues a message, or answers at once why not (HandlerNotFound, DispatcherFull, ServerDraining).
  void submit(session::Session& session, session::Incoming message);

  /// The sender of this request waits no longer. Where it has not entered a handler it never will; where its handler
  /// has suspended it, that is told. Nothing is answered. False: it is not here.
  /// Commands with an idempotency key that are under way go on: others may ask for their outcome.
  bool cancel(session::Session& session, uint64_t message_id);

  /// The end of a turn: runs handlers until the queue is empty or the turn's budget is used. True when something is
  /// left.
  bool run();

  /// New requests are refused from here on; what is queued still runs.
  void drain() { draining_ = true; }
  /// Waiting for a handler, or for an earlier message of their session.
  size_t queued() const { return queue_.size() + holds_.size() + keyed_.asked(); }
  size_t queued_bytes() const { return queue_bytes_; }
  /// Delivered, but without a verdict yet, or with one that is being kept.
  size_t in_flight() const { return tickets_.size() + keyed_.keeping(); }

  // host::ReplySink
  host::ReplyOutcome reply(host::Ticket ticket, Bytes body, std::span<const wire::Header> headers) override;
  host::ReplyOutcome fail(host::Ticket ticket, Code code, std::string_view text) override;
  host::ReplyOutcome fail_for(host::Ticket ticket, Code code, std::string_view text, Duration retry_after) override;
  void done(host::Ticket ticket) override;
  void suspend(host::Ticket ticket, bool ordered) override;
  Status notify(const host::Delivery& of, session::Bound place, const host::Outgoing& event) override;
  Status forward(const host::Delivery& delivery, std::string_view action) override;
  bool enough() const override { return enough_ || batch_over_; }

 private:
  using Queued = QueuedMessage;
  using Pending = PendingTicket;

  host::ReplySink* carrier_of(host::Ticket ticket);
  bool full() const;
  bool cancel_queued(session::Session& session, uint64_t message_id);
  void enqueue(Queued message);
  void pop();
  void run_batches();
  bool run_ready();
  bool begin_running();
  void run_batch();
  void take_batch();
  void allow_batch();
  void stop_at_key();
  void ask_once(const host::Handler& handler);
  void execute_keyed(host::Ticket ticket, Queued queued);
  void answer_keyed(host::Ticket ticket, const Queued& queued, const host::OnceOutcome& outcome);
  host::ReplyOutcome keep_answer(host::Ticket ticket, Pending& pending, const session::Reply& reply);
  void send_kept(const ReplyAddress& to, const host::OnceOutcome& outcome);
  bool translate(Queued& queued);
  Status respond(const ReplyAddress& to, const session::Reply& reply);
  void hand_over(host::Handler* handler);
  void acknowledge_batch();
  void give_back(size_t taken);
  void place_forwarded();
  void place_again(Queued next, bool held);
  void note_time(Timestamp now);
  bool look_up_again(Queued& queued);
  bool hold_back(Queued& queued);
  void place_first(std::deque<Queued> messages);
  bool expired(const Queued& queued, Timestamp now) const;
  void refuse_unrouted(session::SessionId session, const wire::Envelope& envelope);
  std::string bound_to_other_kinds(const wire::Envelope& envelope);
  void refuse_delivered(host::Ticket ticket, Code code, std::string_view text);
  void note_failure(FailureStage stage, Code code);
  void refuse(session::SessionId session, const wire::Envelope& envelope, Code code, std::string_view text);
  void settle(host::Ticket ticket, Pending& pending);
  host::ReplyOutcome answer(host::Ticket ticket, const session::Reply& reply);

  const DispatcherConfig& config_;
  const Clock& clock_;
  WorkerMetrics& metrics_;
  Log log_;
  Handlers& handlers_;
  Sessions& sessions_;
  std::deque<Queued> queue_;
  size_t queue_bytes_ = 0;
  std::vector<Queued> batch_;
  std::vector<host::Delivery> deliveries_;
  std::vector<Queued> forwarded_;  ///< out of the batch in hand
  KeyedCommands keyed_;
  TicketTable tickets_;
  Duration used_{};       ///< of this turn's budget, up to `measured_`
  Timestamp measured_{};  ///< while handlers run
  bool enough_ = false;
  bool batch_over_ = false;
  SessionHolds holds_;
  bool running_ = false;
  bool draining_ = false;
};

}  // namespace godwit::app

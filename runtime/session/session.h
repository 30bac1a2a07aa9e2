#pragma once

#include <tsl/robin_map.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "port/clock.h"
#include "session/bound_events.h"
#include "session/config.h"
#include "session/event_backlog.h"
#include "session/inbox.h"
#include "session/link.h"
#include "session/nack_list.h"
#include "session/order.h"
#include "session/outbox.h"
#include "session/promise_table.h"
#include "session/reply.h"

namespace godwit::session {

using SessionId = Id<Session>;

/// A message on its way from a session to whoever handles it. `stored` is set when the message may be taken over as a
/// whole; otherwise the views borrow and must be copied to be kept.
struct Incoming {
  const wire::Envelope& envelope;
  Bytes body;
  wire::StoredMessage* stored = nullptr;
};

struct SendOptions {
  std::span<const wire::Header> headers;
  Duration timeout{};  ///< how long a reply, or an event's acknowledgement, is waited for; 0 = the session's default
  Duration ttl{};      ///< 0 = none
  wire::Priority priority = wire::Priority::kNormal;
  Order order = Order::kOrdered;
};

/// What one side tells the other when they meet again on a new connection.
struct Resync {
  uint64_t handled = 0;  ///< of the other's messages, every one up to here was handled
  uint64_t known = 0;    ///< of its own messages, the outcome of every one up to here is known
};

/// One side of the conversation with a peer: numbers, keeps, acknowledges and orders messages, and pairs replies with
/// requests. The same class serves both sides. Pure: it knows no socket and reads time only from its arguments.
/// Outlives connections: `attach` gives it the first, `detach` takes it away, `resume` gives it another.
class Session final : private ReplyWaiter {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// A command, event or query, once and in order. The owner calls `handled` or `refuse` for its seq sooner or later.
    virtual void on_message(Session& session, Incoming message) = 0;
    /// `end_turn` is to be called at the end of this loop turn (asked once until then).
    virtual void on_turn_wanted(Session& session) = 0;
    /// A message was sent, or with a code: it was refused.
    virtual void on_sent(Session&, const wire::Envelope&, Code) {}
    /// The peer no longer waits for the answer to this request of its own. True: it was found, and is over.
    virtual bool on_cancel(Session&, uint64_t) { return false; }
  };
  struct World {
    const Clock& clock;
    TimerHeap& timers;
    PromiseTable& promises;
    WorkerMetrics& metrics;
    BlockPool& blocks;  ///< for messages that are kept
    Owner& owner;
  };

  Session(SessionId id, const SessionConfig& config, World world);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SessionId id() const { return id_; }
  void attach(Link& link) { link_ = &link; }
  /// A session that keeps its messages takes more while it has no connection; another one refuses them.
  void detach() { link_ = nullptr; }
  bool attached() const { return link_ != nullptr; }

  /// From here on everything is kept until it is acknowledged, so that the session can be resumed.
  void keep_messages() { keeps_ = true; }
  bool keeps_messages() const { return keeps_; }
  /// What the peer is to be told when the session is to be resumed.
  Resync resync() const { return {inbox_.cumulative(), outbox_.acknowledged()}; }
  /// SequenceInvalid when the peer says what cannot be, SessionLost when it misses what is no longer kept.
  Status check(const Resync& peer) const;
  /// Goes on where the last connection was lost; `check` said yes. Sends what the peer has not handled, in its order,
  /// and no more; what outlived its ttl or deadline meanwhile goes as a number alone.
  void resume(Link& link, const Resync& peer);

  /// What the peer told in its greeting: our bounds may only shrink.
  void limit_body_bytes(uint64_t bytes_max);
  void limit_outbox_messages(size_t messages_max) { outbox_.limit_messages(messages_max); }

  /// A command or query; `waiting` hears the reply, or why none came. On error nothing was sent and no number was used.
  Result<uint64_t> request(wire::Kind kind, std::string_view action, Bytes body, const SendOptions& options,
                           Waiting waiting);
  /// An event; `waiting` (may be nobody) hears success when the peer's handler has it, failure when it was refused,
  /// timeout when neither was heard in time. Unreliable: nobody may wait (ReplyNotExpected), the number is 0, and it
  /// must fit a packet (MessageTooLarge).
  Result<uint64_t> send_event(std::string_view action, Bytes body, const SendOptions& options, Waiting waiting);
  /// The answer to a request of the peer. What is bound to it goes out with it, before and after, in that order.
  Status respond(uint64_t request_id, const Reply& reply);

  /// An event that is sent with the response to this request of the peer, which has not been given yet; by `expires`
  /// it is dropped instead. The order of ordered events includes it.
  Status bind(uint64_t request_id, Bound place, Timestamp expires, std::string_view action, Bytes body,
              const SendOptions& options);
  /// There will be no response to this request: what is bound to it goes.
  void unbind(uint64_t request_id) { bound_.drop(request_id); }
  /// An event that the peer handles after the response that was given to this request of it.
  Status send_after(uint64_t request_id, std::string_view action, Bytes body, const SendOptions& options);

  /// From the link. Protocol violations close it.
  void receive(const wire::Envelope& envelope, Bytes body);
  void receive(wire::StoredMessage message);
  /// A message whose envelope arrived but whose body never will: its sender is told, and those that follow it do not
  /// wait for ever.
  void receive_refused(const wire::Envelope& envelope, Code code, std::string_view text);
  void receive_ack(const wire::Ack& ack);
  /// The peer gave a sign of life.
  void heard() {
    if (config_.activity == Activity::kAnything) active_ = world_.clock.now();
  }
  /// When it was last not idle.
  Timestamp active() const { return active_; }
  /// It may overtake the request, which then never gets to a handler.
  void receive_cancel(uint64_t message_id);

  /// Nobody waits for this reply any more: who did hears Cancelled, and the peer may stop, if need be after a resume.
  /// False: there is none.
  bool cancel(uint64_t message_id);

  /// The message was handed to its handler, or refused with a code that its sender will see.
  void handled(uint64_t seq);
  void refuse(uint64_t seq, Code code, std::string_view text);

  /// Sends the acknowledgement if one is due at the end of a turn.
  void end_turn();

  /// The session is over: everybody who waits hears this code. Idempotent.
  void fail_all(Code code, std::string_view text);
  /// From the promise table's owner.
  void promise_expired(const Promise& promise);

  size_t pending_replies() const { return promises_.size(); }
  size_t bound_events() const { return bound_.size(); }
  size_t waiting_events() const { return backlog_ ? backlog_->size() : 0; }
  const Outbox& outbox() const { return outbox_; }
  const Inbox& inbox() const { return inbox_; }

 private:
  Result<uint64_t> submit_unreliable(wire::Envelope& envelope, Bytes body);
  /// A message whose outcome `waiting` hears by the deadline at the latest. `on_acknowledged`: an acknowledgement is
  /// one.
  Result<uint64_t> submit_awaited(wire::Envelope& envelope, Bytes body, Duration timeout, Waiting waiting,
                                  Waiting on_acknowledged);
  Duration timeout_of(const SendOptions& options) const;
  Result<uint64_t> submit_event(wire::Envelope& envelope, Bytes body);
  /// `behind`: not 0, it is handled after that number, and is no part of the order.
  Result<uint64_t> submit(wire::Envelope& envelope, Bytes body, Outbox::Allowance allowance, Waiting on_acknowledged,
                          uint64_t behind = 0);
  Result<uint64_t> try_submit(wire::Envelope& envelope, Bytes body, Outbox::Allowance allowance,
                              Waiting on_acknowledged, uint64_t behind);
  Status send_response(uint64_t request_id, const Reply& reply, Order order);
  void send_bound(std::vector<wire::StoredMessage> events);
  Result<uint64_t> overflow(const wire::Envelope& envelope, Bytes body, Error full);
  tl::unexpected<Error> refuse_event(Error full);
  void send_waiting();
  void arrive(Incoming message);
  /// Release or hold; nullopt when nothing is left to do with the message.
  std::optional<Inbox::Arrival> take_number(const wire::Envelope& envelope);
  void hold(wire::StoredMessage message);
  void release(Incoming message);
  void release_followers(uint64_t seq);
  void on_response(const Incoming& message);
  /// False when nobody waited for a reply to this message (any more).
  bool settle(uint64_t message_id, const Reply& reply);
  bool settle_promise(uint64_t message_id, const Reply& reply);
  Status check_apart(const wire::Envelope& envelope) const;
  void keep_sent(size_t cost, const wire::Envelope& envelope, Bytes body, const SharedBody& shared,
                 Waiting on_acknowledged);
  bool was_cancelled(const wire::Envelope& envelope);
  void watch_for_stall();
  void on_stall(Timestamp now);
  void resend(uint64_t beyond);
  bool send_again(uint64_t seq, MessageShelf::View kept, const SharedBody& shared);
  /// From the outbox: an event that somebody waits for was acknowledged.
  void on_reply(uint64_t seq, const Reply& reply) override { settle_promise(seq, reply); }
  void refuse_peer(Code code, std::string_view text);
  void want_turn();
  void send_ack();
  void count_sent(const wire::Envelope& envelope, size_t body_bytes);
  void count_received(const wire::Envelope& envelope, size_t body_bytes);

  const SessionId id_;
  const SessionConfig& config_;
  World world_;
  Link* link_ = nullptr;
  uint64_t body_bytes_max_;
  Outbox outbox_;
  Inbox inbox_;
  tsl::robin_map<uint64_t, PromiseId> promises_;  ///< by message id
  uint64_t last_ordered_seq_ = 0;                 ///< of what we sent
  NackList nacks_;
  BoundEvents bound_;
  std::unique_ptr<EventBacklog> backlog_;  ///< once there was something to wait
  Timestamp active_;
  std::vector<uint64_t> cancelled_;   ///< of our requests, the newest: another connection hears of them again
  std::set<uint64_t> early_cancels_;  ///< of requests of the peer that have not come yet
  bool keeps_ = false;
  bool overrun_ = false;  ///< a reply was not kept: the session cannot be resumed
  bool turn_wanted_ = false;
  bool ack_now_ = false;
  uint64_t ack_soon_ = 0;      ///< highest number whose sender waits for the acknowledgement
  uint64_t acknowledged_ = 0;  ///< cumulative number of our last acknowledgement
  Timer ack_timer_;
  Timestamp progressed_{};    ///< when an acknowledgement last settled something
  uint64_t undelivered_ = 0;  ///< when it was last looked at
  Timer stall_timer_;
};

}  // namespace godwit::session

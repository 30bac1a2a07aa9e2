#pragma once

#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/prng.h"
#include "conversation.h"
#include "session/session.h"
#include "virtual_time.h"
#include "wire/stored_message.h"

namespace godwit::model {

inline void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// A real session beside the model of what it has sent. Its link is a heap of messages from which the driver delivers
/// whichever it likes, and a queue of acknowledgements; both are lost with the connection.
class Peer final : session::Session::Owner, session::PromiseTable::Owner, session::Link, session::ReplyWaiter {
 public:
  Peer(const session::SessionConfig& config, testing::VirtualTime& time)
      : time_(time),
        messages_max_(config.outbox_messages_max),
        promises_(10'000, time.clock, time.timers, metrics_, *this),
        session_({0, 1}, config, {time.clock, time.timers, promises_, metrics_, blocks_, *this}) {
    session_.keep_messages();
    session_.attach(*this);
  }
  ~Peer() override { ended_ = Code::kConnectionLost; }
  void join(Peer& other) { other_ = &other; }

  // What the driver may do. Each compares what happened with the model.
  void send_event(Prng& random);
  void send_request(Prng& random);
  void deliver_message(Prng& random);
  void deliver_again(Prng& random);
  void deliver_ack();
  void handle(Prng& random);
  void answer(Prng& random);
  void cancel(Prng& random);
  void end_turn();
  void lose_connection();
  /// Both sides meet on another connection. False: the promise cannot be kept, and the side that knows it says so.
  static bool meet(Peer& a, Peer& b);
  void end(Code code);

  void check() const;
  /// Nothing is open and nothing is charged for.
  void check_settled() const;
  /// Delivers and handles everything there is; false when there was nothing.
  bool settle_some(Prng& random);

  bool attached() const { return session_.attached(); }
  Code closed() const { return closed_; }

 private:
  struct Wait {
    uint64_t number = 0;
    bool event = false;
    bool open = true;
    bool cancelled = false;
    Timestamp deadline{};
  };
  struct Sent {
    Timestamp kept_at{};
    uint32_t worth_ms = 0;  ///< not worth sending again after so long; 0: always
  };
  struct SentAck {
    uint64_t cumulative;
    std::vector<uint64_t> ranges;
    std::vector<wire::Nack> nacks;
  };

  session::SendOptions options(Prng& random) const;
  void note(const Result<uint64_t>& sent, const session::SendOptions& options, bool awaited, bool event);
  void take(const wire::StoredMessage& message);
  void check_covered(uint64_t number, const SentAck& ack) const;
  void tell(uint64_t number) { sent_.at(number).told = true; }
  void check_resent(uint64_t other_has) const;
  bool worthless(uint64_t number) const;
  Wait* find_open(uint64_t number, bool event);

  void on_message(session::Session&, session::Incoming message) override;
  void on_turn_wanted(session::Session&) override { turn_wanted_ = true; }
  bool on_cancel(session::Session&, uint64_t message_id) override;
  void on_promise_expired(const session::Promise& promise) override { session_.promise_expired(promise); }
  void on_promises_high(size_t, size_t) override {}
  Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) override;
  void send_ack(const wire::Ack& ack) override;
  void send_cancel(uint64_t message_id) override;
  uint64_t undelivered() const override { return 0; }
  void close(Code code, std::string_view) override { closed_ = code; }
  void on_reply(uint64_t cookie, const session::Reply& reply) override;

  testing::VirtualTime& time_;
  const size_t messages_max_;
  Peer* other_ = nullptr;
  Conversation sent_;               ///< the model of what goes from here to the other side
  std::map<uint64_t, Sent> more_;   ///< by number
  std::map<uint64_t, Wait> waits_;  ///< by number
  size_t open_waits_ = 0;
  std::vector<wire::StoredMessage> on_their_way_;
  std::vector<wire::StoredMessage> delivered_;  ///< over this connection
  std::deque<SentAck> acks_;
  std::vector<uint64_t> handed_;            ///< by the session to its owner, in the last operation
  std::vector<wire::StoredMessage> ready_;  ///< handed over and not ended yet
  std::vector<uint64_t> to_answer_;
  std::map<uint64_t, Code> answered_;  ///< by the other side's request
  bool overrun_ = false;
  bool turn_wanted_ = false;
  Code closed_ = Code::kOk;
  Code ended_ = Code::kOk;
  WorkerMetrics metrics_;
  BlockPool blocks_{4, 512};
  session::PromiseTable promises_;
  session::Session session_;
};

}  // namespace godwit::model

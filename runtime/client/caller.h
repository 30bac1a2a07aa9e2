#pragma once

#include <tsl/robin_map.h>

#include <atomic>
#include <deque>
#include <optional>

#include "client/call.h"
#include "client/client_loop.h"
#include "client/quiet_log.h"
#include "client/reconnector.h"
#include "session/reply.h"

namespace godwit::client {

/// Carries the calls of one library client to its server: sends them in the order in which they came as far as the
/// session takes more, keeps those that wait while there is no connection, and sees to it that each ends in one reply
/// by its deadline. Everything but the constructor, `open` and `loop().post` belongs to the thread that calls `run`.
class Caller final : private ClientLoop::Owner,
                     private session::ReplyWaiter,
                     private Reconnector::Connections,
                     private Reconnector::Owner {
 public:
  /// `pending` counts calls without a result; the caller counts down before each result is told.
  Caller(ClientOptions options, std::atomic<size_t>& pending);
  ~Caller() override;

  /// What is wrong with the options, or cannot be had of the system.
  Status open();
  ClientLoop& loop() { return *loop_; }

  /// Connects, on the thread that calls `run` or, in turns, `run_due`.
  void begin() { reconnector_->start(); }
  /// Returns after `wind_up`, when every call has its result and the goodbye is out.
  void run();
  int descriptor() { return loop_->loop().descriptor(); }
  void run_due();
  void take(std::vector<Call> calls);
  /// Ends it with Cancelled, and tells the server if it was sent there.
  void withdraw(CallId call);
  /// Connects now, where it would wait before the next try.
  void hurry() { reconnector_->hurry(); }
  /// Ends when the calls under way have ended, or are cancelled after the linger time.
  void wind_up(StopReason reason);

 private:
  struct Pending;
  using PendingId = Id<Pending>;

  void on_dialed(uint64_t cookie, PeerId peer, const Entry& entry) override;
  void on_dial_failed(uint64_t cookie, const Error& why) override;
  void on_disconnected(uint64_t cookie, PeerId peer, const Error& why, session::SessionId kept) override;
  void on_message(PeerId peer, session::Session& session, const session::Incoming& message) override;
  void on_turn() override;
  void on_reply(uint64_t call, const session::Reply& reply) override;

  void on_goodbye(PeerId peer, const wire::Goodbye& goodbye) override;
  void on_advice(uint64_t, Duration retry_after) override { reconnector_->on_advice(retry_after); }

  void look_up(std::function<void(const Result<Remote>&)> done) override;
  DialId dial(const Remote& remote, Duration timeout, session::SessionId resume) override;
  void cancel(DialId dial) override { loop_->cancel(dial); }
  void give_up(session::SessionId kept, const Error& why) override { loop_->give_up(kept, why); }
  void close(PeerId peer) override { loop_->close(peer, goodbye_); }
  void on_state(Reconnector::State state, const Error& why) override;
  void on_entered(PeerId peer, const Entry& entry) override;

  bool connected() const { return reconnector_->state() == Reconnector::State::kConnected; }
  void tell(ClientEvent event, const Error& why);
  void tell_message(ClientEvent::Kind kind, std::string_view action, const Error& why);
  void pump();
  Result<uint64_t> send(PendingId id, const Call& call);
  void complete(PendingId id, Reply reply) noexcept;
  void complete_all(const Error& why);
  void say_goodbye();

  const ClientOptions options_;
  std::atomic<size_t>& pending_;
  QuietLog quiet_;
  HostAndPort address_;
  Credentials credentials_;
  std::unique_ptr<ClientLoop> loop_;
  SlotMap<Pending> calls_;
  tsl::robin_map<CallId, PendingId> pending_calls_;
  std::deque<PendingId> waiting_;  ///< not sent yet; those that ended meanwhile are still named here
  io::SystemEntropy entropy_;
  std::optional<Reconnector> reconnector_;
  Code goodbye_ = Code::kPeerClosed;
  bool closing_ = false;
  bool stopped_ = false;  ///< every call has its result
  bool said_goodbye_ = false;
  Timer linger_timer_;
};

}  // namespace godwit::client

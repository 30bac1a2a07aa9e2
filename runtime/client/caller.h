#pragma once

#include <atomic>
#include <deque>
#include <optional>

#include "client/call.h"
#include "client/client_loop.h"
#include "client/quiet_log.h"
#include "session/reply.h"

namespace godwit::client {

/// Carries the calls of one library client to its server: connects when there are some, sends them in the order in
/// which they came as far as the session takes more, and sees to it that each ends in one reply by its deadline.
/// Everything but the constructor, `open` and `loop().post` belongs to the thread that calls `run`.
class Caller final : private ClientLoop::Owner, private session::ReplyWaiter {
 public:
  /// `pending` counts calls without a result; the caller counts down before each result is told.
  Caller(ClientOptions options, std::atomic<size_t>& pending);
  ~Caller() override;

  /// What is wrong with the options, or cannot be had of the system.
  Status open();
  ClientLoop& loop() { return *loop_; }

  /// Returns after `wind_up`, when every call has its result and the goodbye is out.
  void run();
  void take(std::vector<Call> calls);
  /// Ends when the calls under way have ended, or are cancelled after the linger time.
  void wind_up();

 private:
  struct Pending;
  using CallId = Id<Pending>;
  enum class State : uint8_t { kApart, kConnecting, kConnected };

  void on_dialed(uint64_t cookie, PeerId peer, const Entry& entry) override;
  void on_dial_failed(uint64_t cookie, const Error& why) override;
  void on_disconnected(uint64_t cookie, PeerId peer, const Error& why, session::SessionId kept) override;
  void on_message(PeerId peer, session::Session& session, const session::Incoming& message) override;
  void on_turn() override;
  void on_reply(uint64_t call, const session::Reply& reply) override;

  void connect();
  void give_up_connecting(const Error& why);
  void pump();
  Status send(CallId id, const Call& call);
  void complete(CallId id, Reply reply) noexcept;
  void complete_all(const Error& why);

  const ClientOptions options_;
  std::atomic<size_t>& pending_;
  QuietLog quiet_;
  HostAndPort address_;
  Credentials credentials_;
  std::unique_ptr<ClientLoop> loop_;
  SlotMap<Pending> calls_;
  std::deque<CallId> waiting_;  ///< not sent yet; those that ended meanwhile are still named here
  State state_ = State::kApart;
  DialId dial_;
  PeerId peer_;
  bool closing_ = false;
  bool stopped_ = false;
  Timer connect_timer_;
  Timer linger_timer_;
};

}  // namespace godwit::client

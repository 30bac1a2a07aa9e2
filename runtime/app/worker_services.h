#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "app/durable_book.h"
#include "app/errand_lane.h"
#include "app/operations.h"
#include "app/session_directory.h"
#include "session/session.h"

namespace godwit::app {

class KeyDesk;

/// A reply that says how something ended; Ok is success.
wire::StoredMessage to_reply(const Error& outcome);
/// Sends an event that is kept in the store; `waiting` hears when its client has it.
Status send_kept(session::Session& session, const wire::Envelope& envelope, Bytes body, session::Waiting waiting);

/// host::Services of one worker. Sessions of this worker are reached at once, those of others by lanes, one to each
/// other worker, so that what one worker asks of a session happens in the order in which it asked.
class WorkerServices final : public host::Services {
 public:
  /// The worker's own sessions.
  class Sessions {
   public:
    virtual ~Sessions() = default;
    virtual session::Session* find_session(session::SessionId id) = 0;
    virtual Result<host::SessionStats> session_stats(session::SessionId id) = 0;
    /// What is queued for the client goes first.
    virtual Status close_session(session::SessionId id, Code code, std::string_view text) = 0;
    /// By what name its durable events are kept; nullopt where it does not outlive the process.
    virtual std::optional<DurableBook::Owner> durable_owner(session::SessionId) { return std::nullopt; }
    /// Its client came in anew: it ends at once, and its connection is told.
    virtual void supersede_session(session::SessionId id) = 0;
    virtual const session::SessionConfig& session_config() const = 0;
    virtual WorkerMetrics& counts() = 0;
    /// Something was sent to so many sessions.
    virtual void on_broadcast(std::string_view /*group*/, std::string_view /*action*/, size_t /*sessions*/) {}
  };

  WorkerServices(uint32_t worker, const Clock& clock, TimerHeap& timers, SessionDirectory& directory);
  ~WorkerServices() override;

  /// Before anything is asked: whose sessions they are, and null when these are no more.
  void attach(Sessions* sessions) { sessions_ = sessions; }
  /// Before the threads run: how to reach another worker.
  void connect(uint32_t worker, Mailbox& mailbox, WorkerServices& services);
  /// Who has the messages with keys, for as long as it lives.
  void attach(KeyDesk& desk) { desk_ = &desk; }
  /// Whether another errand may be pushed; answers need not ask.
  bool has_room(uint32_t worker) const;
  /// To another worker.
  void push(uint32_t worker, Errand errand);
  /// Before anything is asked: where durable events are kept; without it they are refused.
  void keep_in(DurableBook* durable) { durable_ = durable; }
  SessionDirectory& directory() { return directory_; }
  uint32_t worker() const { return worker_; }
  /// How many sessions broadcasts of this worker went to; from any thread.
  uint64_t recipients_in_groups() const { return recipients_in_groups_.value(); }
  uint64_t recipients_everywhere() const { return recipients_everywhere_.value(); }

  /// A session of any worker ends, because its client came in anew: here at once, elsewhere a moment later.
  void supersede(host::SessionKey key);

  /// The end of a turn: tells what has ended here, and sends what has gathered for others. True when handlers may have
  /// something to do now.
  bool end_turn();

  // host::Services
  std::optional<host::SessionInfo> session(host::SessionKey key) const override { return directory_.find(key); }
  std::vector<host::SessionKey> sessions_of(std::string_view uid) const override { return directory_.sessions_of(uid); }
  std::vector<host::SessionInfo> sessions(const host::SessionFilter& filter) const override {
    return directory_.list(filter);
  }
  Status stats(host::SessionKey key, std::function<void(Result<host::SessionStats>)> done) override;
  Status send(host::SessionKey key, const host::Outgoing& message, host::Completion done) override;
  Status keep(std::string_view uid, const host::Outgoing& message, Duration ttl) override;
  Result<host::RequestId> request(host::SessionKey key, wire::Kind kind, const host::Outgoing& message,
                                  host::Completion done) override;
  void cancel(host::RequestId request) override;
  Duration request_timeout() const override;
  Status send_durable(host::SessionKey key, const host::Outgoing& message, host::Completion kept) override;
  Result<size_t> broadcast(std::string_view group, host::SessionKey except, const host::Outgoing& message,
                           std::function<void(const host::Fanout&)> done) override;
  Status close(host::SessionKey key, Code code, std::string_view text) override;
  std::optional<host::Value> attribute(host::SessionKey key, std::string_view name) const override;
  Status set_attribute(host::SessionKey key, std::string_view name, const std::optional<host::Value>& value,
                       Duration ttl) override;
  Result<bool> cas_attribute(host::SessionKey key, std::string_view name, const std::optional<host::Value>& expected,
                             const std::optional<host::Value>& value) override;
  Status join(host::SessionKey key, std::string_view group) override;
  Status leave(host::SessionKey key, std::string_view group) override;
  std::vector<std::string> groups_of(host::SessionKey key) const override;
  size_t group_size(std::string_view group) const override;

 private:
  session::Session* own(host::SessionKey key);
  Result<ErrandLane*> lane_to(host::SessionKey key);
  Result<OperationId> deliver(host::SessionKey key, wire::Kind kind, const host::Outgoing& message,
                              host::Completion done);
  void keep_and_deliver(host::SessionKey key, const wire::Envelope& envelope, Bytes body, OperationId operation);
  void deliver_kept(host::SessionKey key, const DurableBook::Owner& owner, uint64_t id,
                    const wire::StoredMessage& message, OperationId operation);
  void end_later(OperationId operation, Error outcome);
  Status deliver_here(session::Session& session, const wire::Envelope& envelope, Bytes body, OperationId operation);
  void cancel_here(OperationId operation);
  Status check(const wire::Envelope& envelope, Bytes body) const;
  Status check_room(const Audience& audience) const;
  host::Fanout spread_here(const std::vector<host::SessionKey>& to, const wire::Envelope& envelope, Bytes body);
  void answer(uint32_t worker, Errand errand);
  void run(uint32_t from, std::vector<Errand>& errands);
  void run(uint32_t from, DeliverErrand& errand);
  void run(uint32_t from, CancelErrand& errand);
  void run(uint32_t from, SpreadErrand& errand);
  void run(uint32_t from, KeepErrand& errand);
  void run(uint32_t from, CloseErrand& errand);
  void run(uint32_t from, SupersedeErrand& errand);
  void run(uint32_t from, StatsErrand& errand);
  void run(uint32_t from, ReplyErrand& errand);
  void run(uint32_t from, FanoutErrand& errand);
  void run(uint32_t from, StatsReplyErrand& errand);
  void run(uint32_t from, CarryErrand& errand);
  void run(uint32_t from, VerdictErrand& errand);
  bool run_own();

  const uint32_t worker_;
  const Clock& clock_;
  TimerHeap& timers_;
  SessionDirectory& directory_;
  Counter recipients_in_groups_;
  Counter recipients_everywhere_;
  Sessions* sessions_ = nullptr;
  KeyDesk* desk_ = nullptr;
  DurableBook* durable_ = nullptr;
  Operations operations_;
  std::map<std::pair<uint32_t, uint64_t>, OperationId> relays_;  ///< requests of others, by worker and its operation
  std::vector<std::unique_ptr<ErrandLane>> lanes_;               ///< by worker; null to itself
  std::vector<Errand> own_;                                      ///< answers of this worker to itself
  Timer again_timer_;                                            ///< another turn, after a mailbox was full
};

}  // namespace godwit::app

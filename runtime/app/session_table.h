#pragma once

#include <tsl/robin_map.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/durable_book.h"
#include "app/shared_cap.h"
#include "app/worker_services.h"
#include "base/block_pool.h"
#include "base/slot_map.h"
#include "host/handler.h"
#include "host/session_event.h"
#include "routing/pattern.h"
#include "session/identity.h"
#include "session/promise_table.h"
#include "session/session.h"

namespace godwit::app {

/// Why a session is to end.
struct Ending {
  Code code;
  std::string text;
};

inline constexpr std::string_view kSupersededText = "its client came in anew";

/// What a server knows of one session beside its messages.
struct Resident {
  const session::SessionId id;
  session::Identity identity;
  std::string address;
  host::SessionView view;
  session::Attempt attempt;  ///< the greeting that speaks for it
  int64_t born_unix_us = 0;
  uint32_t epoch = 1;            ///< grows when a connection takes the session up from one whose Welcome was read
  bool confirmed = true;         ///< the client has shown that it read the Welcome of this epoch
  Timestamp ends = kNever;       ///< without a connection: when it is given up
  uint32_t restored_before = 0;  ///< proofs of epochs before this one are of the process that died
  std::vector<routing::Pattern> allowed = {};   ///< that its messages must match one of; none: all may come
  std::optional<Ending> ending = std::nullopt;  ///< it is over as soon as its connection has closed; nobody resumes it
};

/// The sessions of one worker: makes them, knows whose they are, tells apps of their coming and going, and gives those
/// up that stay without a connection for too long. What a connection is it does not know.
class SessionTable final : private session::PromiseTable::Owner {
 public:
  struct Options {
    const session::SessionConfig& config;
    uint8_t number = 0;  ///< of the worker: ids are unique in the process
    size_t promises_max = 50'000;
    double promises_warn_ratio = 0.8;
  };
  struct World {
    const Clock& clock;
    TimerHeap& timers;
    Log log;
    WorkerMetrics& metrics;
    SharedCap& places;
    WorkerServices& services;
    host::SessionListener* listener;
    session::Session::Owner& owner;
    /// This session is idle for too long; empty: none ever is.
    std::function<void(session::SessionId)> on_idle = {};
    DurableBook* durable = nullptr;  ///< of sessions that outlive the process; null: none do
  };
  SessionTable(const Options& options, World world);
  ~SessionTable() override;

  /// Whoever had the client's name before is superseded. IdentityInUse and Superseded as SessionDirectory::enter says
  /// them; TooManyConnections when all places are taken and no session here waits for a connection; Unauthenticated
  /// when it cannot begin as whoever let it in has named.
  Result<Resident*> enter(session::Identity identity, std::string address, const session::Attempt& attempt);
  /// A session of the process before, with what it had for its client, and without a connection.
  void restore(DurableBook::Restored restored);
  /// From here on its messages are kept, so that it can be resumed; and it, where sessions outlive the process.
  void keep(Resident& resident);
  Resident* find(session::SessionId id);
  session::Session* session(session::SessionId id) { return sessions_.get(id); }
  const host::SessionView* view(session::SessionId id);
  /// Forbidden, or MessageTooLarge, where its client may not send this.
  Status check(session::SessionId id, const session::Incoming& message);
  /// Those of whom this is true.
  std::vector<session::SessionId> find_all(const std::function<bool(const Resident&)>& wanted) const;

  /// What came for its user while nobody of that name was here, in order, each with the header `offline`: which one it
  /// is, and of how many.
  void deliver_kept(const Resident& resident);
  /// Apps hear of something about this session.
  void tell_message(host::SessionEvent::What what, session::SessionId id, Code code, std::string_view action,
                    uint64_t message_id);
  bool told(host::SessionEvent::What what) const { return world_.listener && world_.listener->hears(what); }

  /// Its connection was lost: it is kept for the resume window, when it keeps its messages, and ends otherwise.
  void part(session::SessionId id, Code code, std::string_view reason);
  /// What its client may do from here on. PatternInvalid where that makes no sense; then it is as before.
  Status set_rights(Resident& resident, session::Rights rights, int64_t expires_unix_us);
  /// Another connection speaks for it from here on; a new epoch begins.
  void rejoin(Resident& resident, std::string address, const session::Attempt& attempt);
  /// Everybody who waits hears `code`; nothing of it is found any more.
  void end(session::SessionId id, Code code, std::string_view reason);

  void tell(host::SessionEvent::What what, const Resident& resident, Code code, std::string_view reason);

  /// Sends the acknowledgements that are due.
  void end_turn();
  /// Whether apps have something to hear since the last call.
  bool take_told() { return std::exchange(told_, false); }
  void want_turn(session::SessionId id) { turn_wanted_.push_back(id); }
  void reap() { sessions_.reap(); }

  size_t size() const { return sessions_.size(); }
  size_t parted() const { return parted_.size(); }

 private:
  void on_promise_expired(const session::Promise& promise) override;
  void on_promises_high(size_t in_use, size_t bound) override;

  bool take_place();
  void record(const Resident& resident);
  Status make_way(const session::Identity& identity, const session::Attempt& attempt);
  NameClaim claim_of(const session::Identity& identity, const session::Attempt& attempt) const {
    return {identity.proved, attempt, identity.rights.sessions_max};
  }
  Result<Resident*> make(session::Identity identity, std::string address, const session::Attempt& attempt);
  Status furnish(Resident& resident);
  void forget(session::SessionId id);
  void arm_sweep();
  void sweep(Timestamp now);
  void stop_waiting(Resident& resident);
  void give_up_late(Timestamp now);
  void arm_expiry();

  const Options options_;
  World world_;
  BlockPool blocks_;
  session::PromiseTable promises_;
  SlotMap<session::Session> sessions_;
  tsl::robin_map<session::SessionId, std::unique_ptr<Resident>> residents_;
  std::multimap<Timestamp, session::SessionId> parted_;  ///< without a connection, by when they end
  Timer expiry_timer_;
  Timer sweep_timer_;
  std::vector<session::SessionId> turn_wanted_;
  bool told_ = false;
  bool any_bounded_ = false;  ///< a client here may not do everything: messages are looked at
};

/// Tells the sender of a message that it was not let through.
void refuse_message(session::Session& session, const wire::Envelope& envelope, const Error& why);

}  // namespace godwit::app

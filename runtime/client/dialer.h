#pragma once

#include <tsl/robin_map.h>

#include <vector>

#include "base/slot_map.h"
#include "base/timer_heap.h"
#include "client/client_core.h"
#include "client/remote.h"
#include "port/clock.h"

namespace godwit::client {

class Dial;
using DialId = Id<Dial>;

/// Gets from a host with several addresses to one connected peer: tries them in order, the next one when the last
/// failed or was silent for a while (RFC 8305, "Happy Eyeballs"); the first that is reached wins and the others are
/// closed. Afterwards it stands between the core and its owner and passes on what happens to peers that won.
class Dialer final : public ClientCore::Events {
 public:
  /// The owner chooses a cookie per dial and hears exactly one of on_dialed and on_dial_failed for it, never from
  /// within `dial`; then, for each dialed peer, on_disconnected exactly once.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_dialed(uint64_t cookie, PeerId peer, const Entry& entry) = 0;
    virtual void on_dial_failed(uint64_t cookie, const Error& why) = 0;
    /// `kept`: the session that may be resumed by another dial; it names nothing when there is none.
    virtual void on_disconnected(uint64_t cookie, PeerId peer, const Error& why, session::SessionId kept) = 0;
    /// The server sends a message of its own. Whoever wants none calls `decline`.
    virtual void on_message(PeerId peer, session::Session& session, const session::Incoming& message);
    virtual void on_goodbye(PeerId, const wire::Goodbye&) {}
    /// The server refuses, and says when to come back. The dial fails next.
    virtual void on_advice(uint64_t, Duration) {}
  };
  /// Starts and ends single attempts.
  class Connector {
   public:
    virtual ~Connector() = default;
    virtual Result<PeerId> connect(const SocketAddress& address, const std::string& server_name,
                                   const Credentials& credentials, Duration timeout, session::SessionId resume) = 0;
    virtual void abandon(PeerId peer) = 0;
  };

  Dialer(const Clock& clock, TimerHeap& timers, Connector& connector, Owner& owner);
  ~Dialer() override;

  /// `timeout` covers all addresses up to Welcome. `resume`: a session that was kept.
  DialId dial(uint64_t cookie, const Remote& remote, const Credentials& credentials, Duration timeout,
              session::SessionId resume = {});
  /// Nobody hears of this dial again.
  void cancel(DialId id);
  void cancel_all();
  /// The peers that won and are still connected.
  std::vector<PeerId> dialed() const;
  /// Destroys finished dials; never from within a callback.
  void reap();

 private:
  bool on_reached(PeerId peer) override;
  void on_connected(PeerId peer, const Entry& entry) override;
  void on_disconnected(PeerId peer, const Error& why, session::SessionId kept) override;
  void on_message(PeerId peer, session::Session& session, const session::Incoming& message) override;
  void on_goodbye(PeerId peer, const wire::Goodbye& goodbye) override;
  void on_refused(PeerId peer, const wire::Refuse& refuse) override;

  void on_timer(DialId id);
  void try_next(Dial& dial);
  void drop_attempts(Dial& dial);
  void finish(DialId id, const Error& why);

  const Clock& clock_;
  TimerHeap& timers_;
  Connector& connector_;
  Owner& owner_;
  SlotMap<Dial> dials_;
  tsl::robin_map<PeerId, DialId> attempts_;  ///< of dials in progress
  tsl::robin_map<PeerId, uint64_t> dialed_;  ///< cookies of peers that won
};

/// The answer of a client that handles nothing: HandlerNotFound.
void decline(session::Session& session, const session::Incoming& message);

}  // namespace godwit::client

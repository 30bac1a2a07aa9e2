#pragma once

#include <functional>

#include "client/backoff.h"
#include "client/dialer.h"

namespace godwit::client {

/// Keeps one session with one server for as long as it is wanted: connects, and when the connection is lost connects
/// again, with growing delays, and goes on with the session where the server still has it. Everything it needs of the
/// world comes by its arguments.
class Reconnector {
 public:
  /// Idle → Connecting → Connected → (Draining →) Closed. A lost connection leads from Connected back to Connecting.
  enum class State : uint8_t { kIdle, kConnecting, kConnected, kDraining, kClosed };

  struct Options {
    Duration connect_timeout = 5s;  ///< of one try, from looking the name up to Welcome
    bool reconnect = true;          ///< after a connection was lost
    Backoff::Policy backoff;
  };
  /// What it connects with.
  class Connections {
   public:
    virtual ~Connections() = default;
    /// Looks the server up; `done` hears it later, on the same thread. A lookup replaces the one before it.
    virtual void look_up(std::function<void(const Result<Remote>&)> done) = 0;
    virtual DialId dial(const Remote& remote, Duration timeout, session::SessionId resume) = 0;
    virtual void cancel(DialId dial) = 0;
    virtual void give_up(session::SessionId kept, const Error& why) = 0;
    /// In good order: the server reads first what is queued.
    virtual void close(PeerId peer) = 0;
  };
  class Owner {
   public:
    virtual ~Owner() = default;
    /// `why` is Ok where nothing went wrong.
    virtual void on_state(State state, const Error& why) = 0;
    virtual void on_entered(PeerId peer, const Entry& entry) = 0;
  };

  Reconnector(const Options& options, const Clock& clock, TimerHeap& timers, Entropy& entropy, Connections& connections,
              Owner& owner);

  /// From Idle: connects. When the first try fails the state is Idle again, with the reason.
  void start();
  /// Tries at once, without waiting for the delay to be over: the network is there again, or another one.
  void hurry();
  /// Says goodbye, for good. What the session still has to hear it must hear before.
  void close();

  State state() const { return state_; }
  PeerId peer() const { return peer_; }
  /// How often a connection was made after one was lost.
  uint64_t reconnects() const { return reconnects_; }

  // From the dialer's owner.
  void on_dialed(PeerId peer, const Entry& entry);
  void on_dial_failed(const Error& why);
  void on_disconnected(const Error& why, session::SessionId kept);
  /// The server asks for this delay before the next try.
  void on_advice(Duration retry_after) { retry_after_ = retry_after; }
  void on_goodbye(const wire::Goodbye& goodbye);

 private:
  void connect();
  void connect_later();
  void on_try_failed(const Error& why);
  void stop(const Error& why);
  void lose_session();
  void become(State state, const Error& why = {Code::kOk, {}});

  const Options options_;
  const Clock& clock_;
  TimerHeap& timers_;
  Connections& connections_;
  Owner& owner_;
  State state_ = State::kIdle;
  Backoff backoff_;
  Duration retry_after_{};
  PeerId peer_;
  DialId dial_;
  session::SessionId kept_;
  Duration resume_window_{};
  bool entered_ = false;    ///< once at least
  bool persists_ = false;   ///< a failed try is followed by another
  uint32_t redirects_ = 0;  ///< in a row
  uint64_t reconnects_ = 0;
  Timer lookup_timer_;  ///< how long the name may take
  Timer again_timer_;   ///< the next try
  Timer window_timer_;  ///< the server gives the session up
};

}  // namespace godwit::client

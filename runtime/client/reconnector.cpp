#include "client/reconnector.h"

namespace godwit::client {
namespace {

/// A server steers a client once to the worker that has its session; more often would be a mistake of the server's.
constexpr uint32_t kRedirectsMax = 3;

/// Trying again may help. What this build does not know may be anything, so it is tried.
bool is_transient(Code code) {
  const auto info = describe(code);
  return !info || info->retryable;
}

}  // namespace

Reconnector::Reconnector(const Options& options, const Clock& clock, TimerHeap& timers, Entropy& entropy,
                         Connections& connections, Owner& owner)
    : options_(options),
      clock_(clock),
      timers_(timers),
      connections_(connections),
      owner_(owner),
      backoff_(options.backoff, entropy),
      lookup_timer_([this](Timestamp) {
        on_try_failed({Code::kConnectTimeout, "the name was not looked up in time"});
      }),
      again_timer_([this](Timestamp) { connect(); }),
      window_timer_([this](Timestamp) { lose_session(); }) {}

void Reconnector::start() {
  if (state_ != State::kIdle) return;
  persists_ = false;
  become(State::kConnecting);
  connect();
}

void Reconnector::hurry() {
  if (state_ != State::kConnecting || !again_timer_.armed()) return;
  timers_.disarm(again_timer_);
  connect();
}

void Reconnector::connect() {
  timers_.arm(lookup_timer_, clock_.now() + options_.connect_timeout);
  connections_.look_up([this](const Result<Remote>& remote) {
    if (state_ != State::kConnecting || !lookup_timer_.armed()) return;
    timers_.disarm(lookup_timer_);
    // A name that was known a while ago will be known again: it is the network that is missing.
    if (!remote) return on_try_failed(remote.error());
    dial_ = connections_.dial(*remote, options_.connect_timeout, kept_);
  });
}

void Reconnector::connect_later() {
  const Duration delay = std::max(backoff_.next(), std::exchange(retry_after_, {}));
  timers_.arm(again_timer_, clock_.now() + delay);
}

void Reconnector::on_dialed(PeerId peer, const Entry& entry) {
  dial_ = {};
  if (state_ != State::kConnecting) return connections_.close(peer);
  peer_ = peer;
  kept_ = {};
  redirects_ = 0;
  retry_after_ = {};
  resume_window_ = entry.resume_window;
  timers_.disarm(window_timer_);
  backoff_.reset();
  const bool again = std::exchange(entered_, true);
  reconnects_ += again;
  persists_ = true;
  // Not the one from before, whether it was asked for or had been given up already.
  const bool lost = again && entry.kind == Entry::Kind::kNew;
  // First the session, so that whoever hears of the state may use it.
  owner_.on_entered(peer, lost ? Entry{Entry::Kind::kLost, Code::kSessionLost, entry.resume_window} : entry);
  if (state_ == State::kClosed) return;
  become(State::kConnected);
}

void Reconnector::on_dial_failed(const Error& why) {
  dial_ = {};
  if (state_ != State::kConnecting) return;
  if (why.code == Code::kSessionElsewhere && ++redirects_ <= kRedirectsMax) return connect();
  if (!is_transient(why.code)) return stop(why);
  on_try_failed(why);
}

/// The first try says what is wrong; later ones are made until somebody has enough of it.
void Reconnector::on_try_failed(const Error& why) {
  if (!persists_) return stop(why);
  owner_.on_state(State::kConnecting, why);
  connect_later();
}

void Reconnector::on_disconnected(const Error& why, session::SessionId kept) {
  peer_ = {};
  if (state_ == State::kClosed) return;
  kept_ = kept;
  if (!options_.reconnect || !is_transient(why.code)) return stop(why);
  if (kept) timers_.arm(window_timer_, clock_.now() + resume_window_);
  become(State::kConnecting, why);
  connect_later();
}

/// Nothing more is tried by itself.
void Reconnector::stop(const Error& why) {
  timers_.disarm(lookup_timer_);
  timers_.disarm(again_timer_);
  timers_.disarm(window_timer_);
  if (const session::SessionId kept = std::exchange(kept_, {})) connections_.give_up(kept, why);
  become(State::kIdle, why);
}

void Reconnector::lose_session() {
  // Perhaps it is being found again right now.
  if (dial_) return timers_.arm(window_timer_, clock_.now() + options_.connect_timeout);
  const session::SessionId kept = std::exchange(kept_, {});
  if (kept) connections_.give_up(kept, {Code::kSessionLost, "the server was not reached while it kept the session"});
}

void Reconnector::on_goodbye(const wire::Goodbye& goodbye) {
  retry_after_ = std::chrono::milliseconds(goodbye.retry_after_ms);
  if (state_ == State::kConnected) become(State::kDraining, {goodbye.code, std::string(goodbye.text)});
}

void Reconnector::close() {
  if (state_ == State::kClosed) return;
  timers_.disarm(lookup_timer_);
  timers_.disarm(again_timer_);
  timers_.disarm(window_timer_);
  connections_.cancel(dial_);
  if (const session::SessionId kept = std::exchange(kept_, {}))
    connections_.give_up(kept, {Code::kCancelled, "the client was closed"});
  if (peer_) connections_.close(peer_);
  become(State::kClosed);
}

void Reconnector::become(State state, const Error& why) {
  state_ = state;
  owner_.on_state(state, why);
}

}  // namespace godwit::client

#include "client/dialer.h"

#include <algorithm>

namespace godwit::client {
namespace {

/// How long one address may be silent before the next is tried beside it (RFC 8305, section 8).
constexpr Duration kAttemptDelay = 250ms;

}  // namespace

class Dial {
 public:
  Dial(DialId self, uint64_t owner_cookie, Remote where, Credentials who, Timestamp until, session::SessionId session,
       std::function<void(Timestamp)> on_timer)
      : id(self),
        cookie(owner_cookie),
        remote(std::move(where)),
        credentials(std::move(who)),
        deadline(until),
        resume(session),
        timer(std::move(on_timer)) {}

  bool untried() const { return next_address < remote.addresses.size(); }

  const DialId id;
  const uint64_t cookie;
  const Remote remote;
  const Credentials credentials;
  const Timestamp deadline;
  const session::SessionId resume;
  size_t next_address = 0;
  std::vector<PeerId> attempts;
  Error last{Code::kAddressInvalid, "the host has no address"};
  Timer timer;
};

Dialer::Dialer(const Clock& clock, TimerHeap& timers, Connector& connector, Owner& owner)
    : clock_(clock), timers_(timers), connector_(connector), owner_(owner) {}

Dialer::~Dialer() = default;

DialId Dialer::dial(uint64_t cookie, const Remote& remote, const Credentials& credentials, Duration timeout,
                    session::SessionId resume) {
  const DialId id = dials_.emplace_with([&](DialId self) {
    return std::make_unique<Dial>(self, cookie, remote, credentials, clock_.now() + timeout, resume,
                                  [this, self](Timestamp) { on_timer(self); });
  });
  Dial& dial = *dials_.get(id);
  timers_.arm(dial.timer, clock_.now());
  return id;
}

void Dialer::cancel(DialId id) {
  Dial* dial = dials_.get(id);
  if (!dial) return;
  timers_.disarm(dial->timer);
  drop_attempts(*dial);
  dials_.erase(id);
}

void Dialer::cancel_all() {
  dials_.for_each([this](DialId id, Dial&) { cancel(id); });
}

std::vector<PeerId> Dialer::dialed() const {
  std::vector<PeerId> peers;
  for (const auto& [peer, cookie] : dialed_) peers.push_back(peer);
  return peers;
}

void Dialer::reap() { dials_.reap(); }

void Dialer::on_timer(DialId id) {
  Dial* dial = dials_.get(id);
  if (!dial) return;
  try_next(*dial);
}

// Addresses at which no attempt can even start are passed over at once.
void Dialer::try_next(Dial& dial) {
  if (clock_.now() >= dial.deadline)
    return finish(dial.id, {Code::kConnectTimeout, "no answer from " + dial.remote.server_name});
  while (dial.untried()) {
    const SocketAddress& address = dial.remote.addresses[dial.next_address++];
    auto peer = connector_.connect(address, dial.remote.server_name, dial.credentials, dial.deadline - clock_.now(),
                                   dial.resume);
    if (!peer) {
      dial.last = std::move(peer.error());
      continue;
    }
    dial.attempts.push_back(*peer);
    attempts_[*peer] = dial.id;
    break;
  }
  if (dial.attempts.empty()) return finish(dial.id, Error(dial.last));
  const Timestamp next = clock_.now() + kAttemptDelay;
  timers_.arm(dial.timer, dial.untried() ? std::min(next, dial.deadline) : dial.deadline);
}

void Dialer::drop_attempts(Dial& dial) {
  for (const PeerId peer : dial.attempts) {
    attempts_.erase(peer);
    connector_.abandon(peer);
  }
  dial.attempts.clear();
}

void Dialer::finish(DialId id, const Error& why) {
  const uint64_t cookie = dials_.get(id)->cookie;
  cancel(id);
  owner_.on_dial_failed(cookie, why);
}

// Two attempts that greeted would make two sessions, or take one and the same session from each other.
bool Dialer::on_reached(PeerId peer) {
  const auto found = attempts_.find(peer);
  if (found == attempts_.end()) return false;
  Dial& dial = *dials_.get(found->second);
  std::erase(dial.attempts, peer);
  drop_attempts(dial);
  dial.attempts.push_back(peer);
  timers_.arm(dial.timer, dial.deadline);
  return true;
}

void Dialer::on_connected(PeerId peer, const Entry& entry) {
  const auto found = attempts_.find(peer);
  if (found == attempts_.end()) return;
  const DialId id = found->second;
  Dial& dial = *dials_.get(id);
  const uint64_t cookie = dial.cookie;
  std::erase(dial.attempts, peer);
  attempts_.erase(peer);
  cancel(id);
  dialed_[peer] = cookie;
  owner_.on_dialed(cookie, peer, entry);
}

void Dialer::on_disconnected(PeerId peer, const Error& why, session::SessionId kept) {
  if (const auto won = dialed_.find(peer); won != dialed_.end()) {
    const uint64_t cookie = won->second;
    dialed_.erase(peer);
    return owner_.on_disconnected(cookie, peer, why, kept);
  }
  const auto found = attempts_.find(peer);
  if (found == attempts_.end()) return;
  Dial& dial = *dials_.get(found->second);
  attempts_.erase(peer);
  std::erase(dial.attempts, peer);
  dial.last = why;
  if (dial.untried() || dial.attempts.empty()) try_next(dial);
}

void Dialer::on_message(PeerId peer, session::Session& session, const session::Incoming& message) {
  owner_.on_message(peer, session, message);
}

void Dialer::on_refused(PeerId peer, const wire::Refuse& refuse) {
  const auto found = attempts_.find(peer);
  if (found != attempts_.end())
    owner_.on_advice(dials_.get(found->second)->cookie, std::chrono::milliseconds(refuse.retry_after_ms));
}

void Dialer::on_goodbye(PeerId peer, const wire::Goodbye& goodbye) { owner_.on_goodbye(peer, goodbye); }

void Dialer::Owner::on_message(PeerId, session::Session& session, const session::Incoming& message) {
  decline(session, message);
}

void decline(session::Session& session, const session::Incoming& message) {
  constexpr std::string_view kWhy = "this client handles no messages";
  const wire::Envelope& envelope = message.envelope;
  if (!wire::is_request(envelope.kind)) return session.refuse(envelope.seq, Code::kHandlerNotFound, kWhy);
  const uint64_t id = envelope.message_id();
  session.handled(envelope.seq);
  // When even the refusal does not fit, the session has ended the connection.
  (void)session.respond(id, {wire::Status::kFailure, Code::kHandlerNotFound, kWhy, {}, {}});
}

}  // namespace godwit::client

#include "host/plugin_logins.h"

#include <algorithm>

namespace godwit::host {

uint64_t PluginLogins::begin(const session::Credentials& credentials) {
  asked_ = Asked{++last_, credentials.client_id, credentials.deadline};
  return last_;
}

PluginLogins::Outcome PluginLogins::defer(uint64_t login) {
  if (!asked_ || asked_->login != login) return Outcome::kStale;
  if (waiting_.size() >= kWaitingMax) return Outcome::kLimit;
  waiting_.push_back({login, std::move(asked_->client_id), asked_->deadline});
  asked_.reset();
  return Outcome::kTaken;
}

bool PluginLogins::end(uint64_t login, session::Authenticator::Decided& done) {
  asked_.reset();
  if (!put_off(login)) return false;
  waiting_.back().done = std::move(done);
  return true;
}

PluginLogins::Waiting* PluginLogins::find(uint64_t login, Timestamp now) {
  const auto found = std::lower_bound(waiting_.begin(), waiting_.end(), login,
                                      [](const Waiting& one, uint64_t wanted) { return one.login < wanted; });
  if (found == waiting_.end() || found->login != login) return nullptr;
  return found->decision || found->deadline <= now ? nullptr : &*found;
}

PluginLogins::Outcome PluginLogins::admit(uint64_t login, std::string_view uid, Timestamp now) {
  Waiting* waiting = find(login, now);
  if (!waiting) return Outcome::kStale;
  waiting->decision = session::Identity{waiting->client_id, std::string(uid)};
  decided_ = true;
  return Outcome::kTaken;
}

PluginLogins::Outcome PluginLogins::refuse(uint64_t login, Error why, Timestamp now) {
  Waiting* waiting = find(login, now);
  if (!waiting) return Outcome::kStale;
  waiting->decision = tl::unexpected(std::move(why));
  decided_ = true;
  return Outcome::kTaken;
}

void PluginLogins::deliver(Timestamp now) {
  const bool late = !waiting_.empty() && waiting_.front().deadline <= now;
  if (!std::exchange(decided_, false) && !late) return;
  // Who hears of one may ask about the next.
  std::vector<Waiting> ended;
  std::erase_if(waiting_, [&](Waiting& one) {
    const bool over = one.decision || one.deadline <= now;
    if (over) ended.push_back(std::move(one));
    return over;
  });
  for (Waiting& one : ended) {
    if (one.decision) one.done(std::move(*one.decision));
  }
}

void PluginLogins::refuse_all() {
  for (Waiting& one : std::exchange(waiting_, {}))
    one.done(one.decision ? std::move(*one.decision) : fail(Code::kUnauthenticated, "not admitted"));
}

}  // namespace godwit::host

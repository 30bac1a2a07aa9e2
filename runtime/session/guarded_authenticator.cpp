#include "session/guarded_authenticator.h"

#include <algorithm>

namespace godwit::session {
namespace {

/// 0 is no bound.
template <typename Number>
void tighten(Number& bound, Number other) {
  if (other != 0) bound = bound == 0 ? other : std::min(bound, other);
}

}  // namespace

void RightsBook::set(std::map<std::string, Grant> by_uid) {
  auto grants = std::make_shared<const Grants>(std::move(by_uid));
  const std::lock_guard lock(mutex_);
  grants_ = std::move(grants);
}

void RightsBook::apply(Identity& identity) const {
  const auto grants = [this] {
    const std::lock_guard lock(mutex_);
    return grants_;
  }();
  auto found = grants->find(identity.uid);
  if (found == grants->end()) found = grants->find(std::string(kEverybodyElse));
  if (found == grants->end()) return;
  const Grant& grant = found->second;
  identity.groups.insert(identity.groups.end(), grant.groups.begin(), grant.groups.end());
  // Credentials that name actions are for these alone.
  if (identity.rights.actions.empty()) identity.rights.actions = grant.rights.actions;
  tighten(identity.rights.body_bytes_max, grant.rights.body_bytes_max);
  tighten(identity.rights.sessions_max, grant.rights.sessions_max);
}

void GuardedAuthenticator::authenticate(const Credentials& credentials, Decided done) {
  inner_.authenticate(credentials, [this, done = std::move(done)](Result<Identity> identity) {
    if (!identity) return done(std::move(identity));
    if (revocations_.cover(*identity)) return done(fail(Code::kUnauthenticated, "revoked"));
    rights_.apply(*identity);
    done(std::move(identity));
  });
}

}  // namespace godwit::session

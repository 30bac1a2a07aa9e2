#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "session/identity.h"
#include "session/revocations.h"

namespace godwit::session {

/// What users may do and belong to by the operator's word, whatever their credentials say. Shared by all workers.
class RightsBook {
 public:
  struct Grant {
    std::vector<std::string> groups;
    Rights rights;
  };
  static constexpr std::string_view kEverybodyElse = "*";

  void set(std::map<std::string, Grant> by_uid);
  /// Adds what stands here to what its credentials gave it; of two bounds the smaller one holds.
  void apply(Identity& identity) const;

 private:
  using Grants = std::map<std::string, Grant>;
  mutable std::mutex mutex_;
  std::shared_ptr<const Grants> grants_ = std::make_shared<const Grants>();
};

/// Asks another authenticator, and lets nobody in who was revoked. One per worker, as the one it asks may be.
class GuardedAuthenticator final : public Authenticator {
 public:
  GuardedAuthenticator(Authenticator& inner, const Revocations& revocations, const RightsBook& rights)
      : inner_(inner), revocations_(revocations), rights_(rights) {}

  void authenticate(const Credentials& credentials, Decided done) override;

 private:
  Authenticator& inner_;
  const Revocations& revocations_;
  const RightsBook& rights_;
};

}  // namespace godwit::session

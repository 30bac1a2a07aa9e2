#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "app/config/config.h"
#include "base/log.h"
#include "port/clock.h"
#include "session/guarded_authenticator.h"
#include "session/revocations.h"
#include "session/signed_token.h"

namespace godwit::app {

/// Who may come in by the operator's word: the files that the configuration names, read at the start and again when
/// the configuration is. Whom units let in they say themselves; rights and revocations hold for them too.
class IdentityKeeper {
 public:
  /// An error of a file, with its place.
  static Result<std::unique_ptr<IdentityKeeper>> open(const Config& config, const Clock& clock);

  /// Reads the files of a new configuration; what cannot be read stays as it was, and is in the log.
  void reload(const Config& config, const Log& log);

  session::Authenticator& authenticator() { return *authenticator_; }
  const session::Revocations& revocations() const { return revocations_; }
  const session::RightsBook& rights() const { return rights_; }

  /// From here on it is not let in. True: after a restart, too; false: there is no auth.revoked_file.
  Result<bool> revoke(const session::Revocations::Entry& entry);

 private:
  explicit IdentityKeeper(const Clock& clock) : clock_(clock) {}
  std::vector<Error> read_files(const AuthSection& auth);
  Status make_authenticator(const AuthSection& auth);

  const Clock& clock_;
  std::filesystem::path revoked_file_;
  session::Revocations revocations_;
  session::RightsBook rights_;
  std::unique_ptr<session::Authenticator> authenticator_;
  session::SignedTokenAuthenticator* signed_ = nullptr;  ///< when that is what it is
};

}  // namespace godwit::app

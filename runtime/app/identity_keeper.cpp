#include "app/identity_keeper.h"

#include "app/config/identity_files.h"
#include "app/config/tokens.h"
#include "app/unit_authenticator.h"

namespace godwit::app {

Result<std::unique_ptr<IdentityKeeper>> IdentityKeeper::open(const Config& config, const Clock& clock) {
  auto keeper = std::unique_ptr<IdentityKeeper>(new IdentityKeeper(clock));
  if (Status made = keeper->make_authenticator(config.auth); !made) return tl::unexpected(std::move(made.error()));
  const std::vector<Error> errors = keeper->read_files(config.auth);
  if (!errors.empty()) return tl::unexpected(errors.front());
  return keeper;
}

Status IdentityKeeper::make_authenticator(const AuthSection& auth) {
  switch (auth.mode) {
    case AuthSection::Mode::kNone: authenticator_ = std::make_unique<session::NoAuthenticator>(); break;
    // Knows nobody: each worker asks its own units.
    case AuthSection::Mode::kPlugin:
    case AuthSection::Mode::kLua: authenticator_ = std::make_unique<UnitAuthenticator>(); break;
    case AuthSection::Mode::kToken: {
      auto tokens = load_tokens(auth.tokens_file);
      if (!tokens) return tl::unexpected(tokens.error().front());
      authenticator_ = std::make_unique<session::TokenAuthenticator>(std::move(*tokens));
      break;
    }
    case AuthSection::Mode::kSigned: {
      auto keys = load_signing_keys(auth.keys_file);
      if (!keys) return tl::unexpected(keys.error().front());
      auto made = std::make_unique<session::SignedTokenAuthenticator>(clock_, std::move(*keys));
      signed_ = made.get();
      authenticator_ = std::move(made);
      break;
    }
  }
  return {};
}

/// Those of which the operator named one.
std::vector<Error> IdentityKeeper::read_files(const AuthSection& auth) {
  std::vector<Error> errors;
  const auto take = [&](auto loaded, auto&& use) {
    if (!loaded) return errors.push_back(std::move(loaded.error().front()));
    use(std::move(*loaded));
  };
  revoked_file_ = auth.revoked_file;
  if (!auth.revoked_file.empty())
    take(load_revocations(auth.revoked_file), [this](auto entries) { revocations_.set(std::move(entries)); });
  if (!auth.rights_file.empty())
    take(load_rights(auth.rights_file), [this](auto grants) { rights_.set(std::move(grants)); });
  return errors;
}

void IdentityKeeper::reload(const Config& config, const Log& log) {
  std::vector<Error> errors = read_files(config.auth);
  if (signed_) {
    auto keys = load_signing_keys(config.auth.keys_file);
    keys ? signed_->set_keys(std::move(*keys)) : errors.push_back(keys.error().front());
  }
  for (const Error& error : errors)
    log.error("identities not reloaded, what was known stays", {{"code", error.code}, {"error", error.text}});
}

Result<bool> IdentityKeeper::revoke(const session::Revocations::Entry& entry) {
  if (Status added = revocations_.add(entry); !added) return tl::unexpected(std::move(added.error()));
  if (revoked_file_.empty()) return false;
  if (Status kept = append_revocation(revoked_file_, entry); !kept) return tl::unexpected(std::move(kept.error()));
  return true;
}

}  // namespace godwit::app

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "port/clock.h"
#include "session/identity.h"

namespace godwit::session {

/// What a signed token says of whoever shows it.
struct TokenClaims {
  std::string id;  ///< names the token, so that it can be revoked alone
  std::string uid;
  std::string client_id;  ///< good for this client only; empty: for any
  int64_t issued_unix_s = 0;
  int64_t expires_unix_s = 0;
  std::vector<std::string> groups;
  Rights rights;
};

/// A secret that servers and whoever makes tokens share. Several may be in use, so that they can be changed one after
/// the other.
struct SigningKey {
  std::string id;      ///< 1 … 64 of a-z, A-Z, 0-9, - and _
  std::string secret;  ///< 32 bytes and more
};

inline constexpr size_t kSigningKeysMax = 64;
inline constexpr size_t kSigningSecretBytesMin = 32;  ///< of HMAC-SHA-256: as many as its digest has

/// `gw1.KEY.CLAIMS.MAC`: lines of claims in hexadecimal digits, and the HMAC-SHA-256 of all before it. ArgumentInvalid
/// where a claim has a line break or the token would not fit a Hello.
Result<std::string> sign_token(const TokenClaims& claims, const SigningKey& key);

/// What it says, without a look at who signed it.
Result<TokenClaims> read_token(std::string_view token);
/// Unauthenticated where none of these keys signed it.
Result<TokenClaims> verify_token(std::string_view token, const std::vector<SigningKey>& keys);

/// Believes tokens that one of its keys signed, until they expire. Shared by all workers; the keys may change.
class SignedTokenAuthenticator final : public Authenticator {
 public:
  SignedTokenAuthenticator(const Clock& clock, std::vector<SigningKey> keys) : clock_(clock) {
    set_keys(std::move(keys));
  }

  void set_keys(std::vector<SigningKey> keys);
  void authenticate(const Credentials& credentials, Decided done) override;

 private:
  Result<Identity> find(const Credentials& credentials) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<SigningKey>> keys_;
};

}  // namespace godwit::session

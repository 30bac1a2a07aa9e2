#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/message.h"

namespace godwit::session {

/// Who is on the other side, as far as it was proved.
struct Identity {
  std::string client_id;  ///< the device, named by itself
  std::string uid;        ///< whom it belongs to
};

/// Decides who may come in. Fails closed.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Unauthenticated without saying which part was wrong. `certificate_name` is the verified client certificate's, or
  /// empty.
  virtual Result<Identity> authenticate(const wire::Hello& hello, std::string_view certificate_name) = 0;
};

/// IdentityInvalid unless 1 … 128 bytes of printable UTF-8 (base/text.h): names are shown to people, who must not take
/// one for another.
Status check_client_id(std::string_view client_id);
/// The same of a uid, whether the client said it or its certificate.
Status check_uid(std::string_view uid);

/// Believes what the client says of itself: for trusted networks and development.
class NoAuthenticator final : public Authenticator {
 public:
  Result<Identity> authenticate(const wire::Hello& hello, std::string_view certificate_name) override;
};

/// A list of shared secrets, each belonging to a uid. Compares in constant time over the whole list.
class TokenAuthenticator final : public Authenticator {
 public:
  struct Entry {
    std::string token;
    std::string uid;
  };
  explicit TokenAuthenticator(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  Result<Identity> authenticate(const wire::Hello& hello, std::string_view certificate_name) override;

 private:
  std::vector<Entry> entries_;
};

}  // namespace godwit::session

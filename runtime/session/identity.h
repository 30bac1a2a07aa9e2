#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace godwit::session {

/// Who is on the other side, as far as it was proved, and what a session begins with.
struct Identity {
  std::string client_id;  ///< the device, named by itself
  std::string uid;        ///< whom it belongs to
  std::vector<std::string> groups = {};
  std::vector<std::pair<std::string, std::variant<std::string, double, bool>>> attributes = {};
};

/// What a client says of itself before it is let in, and what its certificate says of it.
struct Credentials {
  std::string client_id;
  std::string uid;
  std::string token;
  std::string agent;             ///< name and version of the client program
  std::string certificate_name;  ///< of the verified client certificate; empty without one
  std::string address;           ///< where it comes from
  Timestamp deadline = kNever;   ///< when nobody waits for the decision any more
};

/// Decides who may come in. Fails closed.
class Authenticator {
 public:
  /// Hears the decision, once, on the thread that asked: from within the question, or later. Dropping it without a word
  /// lets nobody in: who asks waits for a bounded time.
  using Decided = std::function<void(Result<Identity>)>;

  virtual ~Authenticator() = default;
  /// Unauthenticated without saying which part was wrong; NotFound says that somebody else may know.
  virtual void authenticate(const Credentials& credentials, Decided done) = 0;
};

/// IdentityInvalid unless 1 … 128 bytes of printable UTF-8 (base/text.h): names are shown to people, who must not take
/// one for another.
Status check_client_id(std::string_view client_id);
/// The same of a uid, whether the client said it or its certificate.
Status check_uid(std::string_view uid);

/// Believes what the client says of itself: for trusted networks and development.
class NoAuthenticator final : public Authenticator {
 public:
  void authenticate(const Credentials& credentials, Decided done) override;
};

/// A list of shared secrets, each belonging to a uid. Compares in constant time over the whole list.
class TokenAuthenticator final : public Authenticator {
 public:
  struct Entry {
    std::string token;
    std::string uid;
  };
  explicit TokenAuthenticator(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  void authenticate(const Credentials& credentials, Decided done) override;

 private:
  Result<Identity> find(const Credentials& credentials) const;

  std::vector<Entry> entries_;
};

}  // namespace godwit::session

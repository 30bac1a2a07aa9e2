#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace godwit::session {

/// Which greeting of which run of a client program. The program's number is random and told to nobody but the server,
/// so whoever says it is that program.
struct Attempt {
  uint64_t program = 0;  ///< 0: it says nothing
  uint32_t number = 0;

  bool same_program(const Attempt& other) const { return program != 0 && program == other.program; }
  /// It was made before the other one, or is the other one: it has no say about what the other one has.
  bool late_for(const Attempt& other) const { return same_program(other) && number <= other.number; }
};

/// What an identity may do.
struct Rights {
  std::vector<std::string> actions;  ///< patterns of kind and action, such as "command/chat.*"; none: everything
  uint64_t body_bytes_max = 0;       ///< of one message; 0: what the server takes
  uint32_t sessions_max = 0;         ///< of its uid at one time; 0: any number
};

/// Who is on the other side, as far as it was proved, and what a session begins with.
struct Identity {
  std::string client_id;  ///< the device, named by itself
  std::string uid;        ///< whom it belongs to
  std::vector<std::string> groups = {};
  std::vector<std::pair<std::string, std::variant<std::string, double, bool>>> attributes = {};
  bool proved = true;  ///< by credentials; false: it is what the client says of itself
  Rights rights = {};
  int64_t expires_unix_us = 0;  ///< when what proved it is no longer good; 0: never
  std::string credential = {};  ///< names what proved it, so that it can be revoked alone; empty: it has no name
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

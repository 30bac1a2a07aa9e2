#include "session/identity.h"

#include "base/limits.h"
#include "base/text.h"

namespace godwit::session {
namespace {

bool same_secret(std::string_view given, std::string_view known) {
  // Takes as long for a wrong first byte as for a wrong last one; only the length of what was given shows.
  unsigned difference = given.size() != known.size();
  for (size_t i = 0; i < given.size(); ++i) {
    const char other = known.empty() ? '\0' : known[i % known.size()];
    difference |= static_cast<unsigned char>(given[i] ^ other);
  }
  return difference == 0;
}

Status check_name(std::string_view what, std::string_view name, size_t bytes_max) {
  const auto invalid = [&](const std::string& why) { return fail(Code::kIdentityInvalid, std::string(what) + why); };
  if (name.empty()) return invalid(" is empty");
  if (name.size() > bytes_max) {
    return invalid(" of " + std::to_string(name.size()) + " bytes, at most " + std::to_string(bytes_max));
  }
  if (!is_printable(name)) return invalid(" is not printable UTF-8");
  return {};
}

}  // namespace

Status check_client_id(std::string_view client_id) {
  return check_name("client id", client_id, limits::kClientIdBytesMax);
}

Status check_uid(std::string_view uid) { return check_name("uid", uid, limits::kUidBytesMax); }

void NoAuthenticator::authenticate(const Credentials& credentials, Decided done) {
  // A verified certificate is better than the client's word.
  const std::string& uid = !credentials.certificate_name.empty() ? credentials.certificate_name
                           : !credentials.uid.empty()            ? credentials.uid
                                                                 : credentials.client_id;
  done(Identity{.client_id = credentials.client_id, .uid = uid, .proved = !credentials.certificate_name.empty()});
}

void TokenAuthenticator::authenticate(const Credentials& credentials, Decided done) { done(find(credentials)); }

Result<Identity> TokenAuthenticator::find(const Credentials& credentials) const {
  if (credentials.token.empty()) return fail(Code::kUnauthenticated, "unknown token");
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (same_secret(credentials.token, entry.token) && !found) found = &entry;
  }
  if (!found) return fail(Code::kUnauthenticated, "unknown token");
  if (!credentials.uid.empty() && credentials.uid != found->uid) return fail(Code::kUnauthenticated, "unknown token");
  return Identity{credentials.client_id, found->uid};
}

}  // namespace godwit::session

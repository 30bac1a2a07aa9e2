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

Result<Identity> NoAuthenticator::authenticate(const wire::Hello& hello, std::string_view certificate_name) {
  // A verified certificate is better than the client's word.
  std::string_view uid = !certificate_name.empty() ? certificate_name
                         : !hello.uid.empty()      ? hello.uid
                                                   : hello.client_id;
  return Identity{std::string(hello.client_id), std::string(uid)};
}

Result<Identity> TokenAuthenticator::authenticate(const wire::Hello& hello, std::string_view) {
  if (hello.token.empty()) return fail(Code::kUnauthenticated, "unknown token");
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (same_secret(hello.token, entry.token) && !found) found = &entry;
  }
  if (!found) return fail(Code::kUnauthenticated, "unknown token");
  if (!hello.uid.empty() && hello.uid != found->uid) return fail(Code::kUnauthenticated, "unknown token");
  return Identity{std::string(hello.client_id), found->uid};
}

}  // namespace godwit::session

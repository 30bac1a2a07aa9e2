#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/error.h"
#include "session/guarded_authenticator.h"
#include "session/revocations.h"
#include "session/signed_token.h"

namespace godwit::app {

/// What was read, or everything that is wrong with the file; line and column are named, secrets are not shown.
template <typename Value>
using FileOf = tl::expected<Value, std::vector<Error>>;

/// auth.keys_file: a table [keys] of "id" = "secret". Refuses a file that the group may write or others may read.
FileOf<std::vector<session::SigningKey>> load_signing_keys(const std::filesystem::path& path);

/// auth.rights_file: [uid.NAME] with groups, actions, body_max, sessions_max.
FileOf<std::map<std::string, session::RightsBook::Grant>> load_rights(const std::filesystem::path& path);

/// auth.revoked_file: `uid NAME`, `client NAME` or `token ID`, a line each; `#` begins a comment. None when there is no
/// such file yet.
FileOf<std::set<session::Revocations::Entry>> load_revocations(const std::filesystem::path& path);
/// Adds a line, and returns once it is on the disk.
Status append_revocation(const std::filesystem::path& path, const session::Revocations::Entry& entry);

/// "uid", "client", "token"
std::string_view to_text(session::Revocations::What what);
std::optional<session::Revocations::What> parse_revoked(std::string_view word);

}  // namespace godwit::app

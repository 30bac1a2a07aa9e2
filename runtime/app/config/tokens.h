#pragma once

#include <filesystem>
#include <tl/expected.hpp>
#include <vector>

#include "base/error.h"
#include "session/identity.h"

namespace godwit::app {

/// A login compares with all tokens, a few nanoseconds each.
inline constexpr size_t kTokensMax = 4096;

using TokenList = std::vector<session::TokenAuthenticator::Entry>;

/// Reads the file of auth.tokens_file: a table [tokens] of "token" = "uid". Refuses a file that the group may write or
/// others may read. Errors name line and column and never show what stands there.
tl::expected<TokenList, std::vector<Error>> load_tokens(const std::filesystem::path& path);

}  // namespace godwit::app

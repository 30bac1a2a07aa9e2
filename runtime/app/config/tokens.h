#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/error.h"

namespace godwit::app {

/// Static tokens and whom each belongs to. A login compares with all of them, in time that does not tell how much of a
/// token was right.
class TokenTable {
 public:
  /// That comparison is a few nanoseconds per token.
  static constexpr size_t kTokensMax = 4096;

  /// Reads the file of auth.tokens_file: a table [tokens] of "token" = "uid". Refuses a file that the group may write
  /// or others may read. Errors name line and column and never show what stands there.
  static tl::expected<TokenTable, std::vector<Error>> load(const std::filesystem::path& path);

  std::optional<std::string_view> uid_of(std::string_view token) const;
  size_t size() const { return entries_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

}  // namespace godwit::app

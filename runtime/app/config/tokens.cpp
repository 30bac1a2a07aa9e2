#include "app/config/tokens.h"

#include <fmt/format.h>

#include "app/config/secret_file.h"
#include "app/config/toml_text.h"
#include "base/limits.h"
#include "base/text.h"

namespace godwit::app {
namespace {

using Errors = std::vector<Error>;

bool is_uid(std::string_view text) {
  return !text.empty() && text.size() <= limits::kUidBytesMax && is_printable(text);
}

class TokenFile {
 public:
  explicit TokenFile(const std::filesystem::path& path) : path_(path) {}

  void read(TomlText text, TokenList& entries) {
    // The parser's words may quote the text, which is secret here.
    for (const Complaint& c : text.complaints) add(c.line, c.column, "not valid TOML, or a token is given twice");
    for (const auto& [name, node] : text.table) {
      if (name.str() == "tokens" && node.is_table())
        read_tokens(*node.as_table(), entries);
      else
        add(name.source().begin.line, name.source().begin.column, "expected a table [tokens] and nothing else");
    }
  }

  Errors take_errors() { return std::move(errors_); }

 private:
  void read_tokens(const toml::table& table, TokenList& entries) {
    for (const auto& [token, node] : table) {
      const auto at = token.source().begin;
      const auto uid = node.value_exact<std::string>();
      if (entries.size() == kTokensMax) {
        return add(at.line, at.column, fmt::format("more than {} tokens", kTokensMax));
      }
      if (token.str().empty() || token.str().size() > limits::kTokenBytesMax) {
        add(at.line, at.column, fmt::format("expected a token of 1 to {} bytes", limits::kTokenBytesMax));
      } else if (!uid || !is_uid(*uid)) {
        add(at.line, at.column,
            fmt::format("expected \"token\" = \"uid\", the uid 1 to {} printable bytes", limits::kUidBytesMax));
      } else {
        entries.push_back({std::string(token.str()), *uid});
      }
    }
  }

  void add(uint32_t line, uint32_t column, std::string_view text) {
    errors_.push_back({Code::kConfigInvalid, fmt::format("{}:{}:{}: {}", path_.string(), line, column, text)});
  }

  const std::filesystem::path& path_;
  Errors errors_;
};

}  // namespace

tl::expected<TokenList, Errors> load_tokens(const std::filesystem::path& path) {
  auto text = read_secret_file(path);
  if (!text) return tl::unexpected(Errors{std::move(text.error())});
  TokenList entries;
  TokenFile file(path);
  file.read(parse_toml(std::move(*text)), entries);
  if (Errors errors = file.take_errors(); !errors.empty()) return tl::unexpected(std::move(errors));
  return entries;
}

}  // namespace godwit::app

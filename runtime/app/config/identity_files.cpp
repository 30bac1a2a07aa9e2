#include "app/config/identity_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/config/file_reader.h"
#include "app/config/secret_file.h"
#include "app/config/toml_text.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/units.h"
#include "routing/pattern.h"

namespace godwit::app {
namespace {

using Errors = std::vector<Error>;
using session::Revocations;

constexpr uint64_t kFileBytesMax = 16 << 20;
constexpr size_t kGroupsMax = 1000;
constexpr size_t kActionsMax = 256;

bool is_key_id(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), allowed);
}

/// Gathers complaints about one file.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {}

  void add(const toml::source_position& at, std::string_view text) {
    errors_.push_back({Code::kConfigInvalid, fmt::format("{}:{}:{}: {}", path_.string(), at.line, at.column, text)});
  }
  void add(size_t line, std::string_view text) { add(toml::source_position{static_cast<uint32_t>(line), 1}, text); }
  /// The tables in the one table of that name that the file may have.
  const toml::table* only_table(const TomlText& text, std::string_view name) {
    for (const Complaint& c : text.complaints) add({c.line, c.column}, "not valid TOML, or a key is given twice");
    const toml::table* found = nullptr;
    for (const auto& [key, node] : text.table) {
      if (key.str() == name && node.is_table())
        found = node.as_table();
      else
        add(key.source().begin, fmt::format("expected a table [{}] and nothing else", name));
    }
    return found;
  }
  template <typename Value>
  FileOf<Value> conclude(Value value) {
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));
    return value;
  }

 private:
  const std::filesystem::path& path_;
  Errors errors_;
};

std::vector<std::string> read_texts(Reader& reader, const toml::node& node, size_t max, std::string_view what) {
  std::vector<std::string> texts;
  const toml::array* list = node.as_array();
  if (!list) reader.add(node.source().begin, fmt::format("expected a list of {}", what));
  for (const toml::node& one : list ? *list : toml::array()) {
    const auto text = one.value_exact<std::string>();
    if (!text || text->empty() || text->size() > 256 || !is_printable(*text) || texts.size() == max) {
      reader.add(one.source().begin, fmt::format("expected at most {} {}, each 1 to 256 printable bytes", max, what));
      break;
    }
    texts.push_back(*text);
  }
  return texts;
}

void read_grant(Reader& reader, const toml::table& table, session::RightsBook::Grant& grant) {
  for (const auto& [key, node] : table) {
    const auto at = node.source().begin;
    if (key == "groups") {
      grant.groups = read_texts(reader, node, kGroupsMax, "groups");
    } else if (key == "actions") {
      grant.rights.actions = read_texts(reader, node, kActionsMax, "patterns");
      for (const std::string& action : grant.rights.actions) {
        if (const auto pattern = routing::Pattern::parse(action); !pattern) reader.add(at, pattern.error().text);
      }
    } else if (key == "body_max") {
      const auto bytes = node.is_string() ? parse_bytes(*node.value_exact<std::string>()) : fail(Code::kConfigInvalid);
      if (!bytes || *bytes == 0) reader.add(at, "expected bytes, such as \"64KiB\"");
      if (bytes) grant.rights.body_bytes_max = *bytes;
    } else if (key == "sessions_max") {
      const auto sessions = node.value_exact<int64_t>();
      if (!sessions || *sessions < 1 || *sessions > UINT32_MAX) reader.add(at, "expected a number from 1 on");
      if (sessions) grant.rights.sessions_max = static_cast<uint32_t>(*sessions);
    } else {
      reader.add(key.source().begin, "unknown key; there are groups, actions, body_max, sessions_max");
    }
  }
}

Errors only(Error error) {
  Errors errors;
  errors.push_back(std::move(error));
  return errors;
}

}  // namespace

FileOf<std::vector<session::SigningKey>> load_signing_keys(const std::filesystem::path& path) {
  auto text = read_secret_file(path);
  if (!text) return tl::unexpected(only(std::move(text.error())));
  Reader reader(path);
  const TomlText toml = parse_toml(std::move(*text));
  std::vector<session::SigningKey> keys;
  if (const toml::table* table = reader.only_table(toml, "keys")) {
    for (const auto& [id, node] : *table) {
      const auto secret = node.value_exact<std::string>();
      const bool good = is_key_id(id.str()) && secret && secret->size() >= session::kSigningSecretBytesMin;
      if (!good) {
        reader.add(id.source().begin, fmt::format("expected id = \"secret\": 1 to 64 of a-z, A-Z, 0-9, - and _, and at "
                                                  "least {} bytes",
                                                  session::kSigningSecretBytesMin));
      } else if (keys.size() == session::kSigningKeysMax) {
        reader.add(id.source().begin, fmt::format("more than {} keys", session::kSigningKeysMax));
      } else {
        keys.push_back({std::string(id.str()), *secret});
      }
    }
  }
  return reader.conclude(std::move(keys));
}

FileOf<std::map<std::string, session::RightsBook::Grant>> load_rights(const std::filesystem::path& path) {
  auto text = read_text_file(path, kFileBytesMax);
  if (!text) return tl::unexpected(only(std::move(text.error())));
  Reader reader(path);
  const TomlText toml = parse_toml(std::move(*text));
  std::map<std::string, session::RightsBook::Grant> grants;
  if (const toml::table* table = reader.only_table(toml, "uid")) {
    for (const auto& [uid, node] : *table) {
      if (const toml::table* grant = node.as_table())
        read_grant(reader, *grant, grants[std::string(uid.str())]);
      else
        reader.add(node.source().begin, "expected a table [uid.NAME]");
    }
  }
  return reader.conclude(std::move(grants));
}

FileOf<std::set<Revocations::Entry>> load_revocations(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::set<Revocations::Entry>();
  const auto text = read_text_file(path, kFileBytesMax);
  if (!text) return tl::unexpected(only(text.error()));
  Reader reader(path);
  std::set<Revocations::Entry> entries;
  std::string_view rest = *text;
  for (size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    const size_t space = line.find(' ');
    const auto what = parse_revoked(line.substr(0, space));
    if (!what || space == std::string_view::npos || space + 1 == line.size())
      reader.add(number, "expected `uid NAME`, `client NAME` or `token ID`");
    else
      entries.emplace(*what, line.substr(space + 1));
  }
  return reader.conclude(std::move(entries));
}

Status append_revocation(const std::filesystem::path& path, const Revocations::Entry& entry) {
  const std::string line = fmt::format("{} {}\n", to_text(entry.first), entry.second);
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  bool written = file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  written = written && ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  return written ? Status() : fail(Code::kFileUnreadable, fmt::format("{}: {}", path.string(), std::strerror(reason)));
}

std::string_view to_text(Revocations::What what) {
  switch (what) {
    case Revocations::What::kUid: return "uid";
    case Revocations::What::kClient: return "client";
    case Revocations::What::kToken: return "token";
  }
  return "";
}

std::optional<Revocations::What> parse_revoked(std::string_view word) {
  for (const auto what : {Revocations::What::kUid, Revocations::What::kClient, Revocations::What::kToken}) {
    if (word == to_text(what)) return what;
  }
  return std::nullopt;
}

}  // namespace godwit::app

#include "app/config/toml_text.h"

#include <fmt/format.h>

#include <variant>

#include "base/text.h"

namespace godwit::app {
namespace {

/// More than anybody mends in one go.
constexpr size_t kComplaintsMax = 32;

constexpr std::string_view kBlanks = " \t";

using Outcome = std::variant<toml::table, Complaint>;

std::string reason(std::string_view description) {
  // The library's words are "Error while parsing <where>: <what>".
  constexpr std::string_view kPrefix = "Error while parsing ";
  if (description.substr(0, kPrefix.size()) == kPrefix) description.remove_prefix(kPrefix.size());
  std::string text = escape_for_log(description, 256);
  // What it quotes it has escaped already.
  for (size_t at = 0; (at = text.find("\\\\", at)) != std::string::npos; ++at) text.erase(at, 1);
  return "not valid TOML: " + text;
}

Outcome attempt(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return Complaint{at.line, at.column, reason(error.description())};
  }
}

struct Line {
  size_t begin;
  size_t size;
};

Line find_line(std::string_view text, uint32_t number) {
  size_t begin = 0;
  for (uint32_t line = 1; line < number; ++line) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {text.size(), 0};
    begin = end + 1;
  }
  return {begin, std::min(text.find('\n', begin), text.size()) - begin};
}

/// The column and name of the key when a line is `key = …`.
struct LineKey {
  uint32_t column;
  std::string_view name;
};

std::optional<LineKey> key_of(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  const size_t equals = line.find('=');
  if (first == std::string_view::npos || equals == std::string_view::npos || equals <= first) return std::nullopt;
  const std::string_view name = line.substr(first, line.find_last_not_of(kBlanks, equals - 1) + 1 - first);
  if (name.find_first_of("[]{}#,") != std::string_view::npos) return std::nullopt;
  return LineKey{static_cast<uint32_t>(first) + 1, name};
}

bool is_redefinition(const Complaint& complaint) {
  return complaint.text.find("cannot redefine existing") != std::string::npos;
}

/// Inside of a list that was opened on an earlier line a key is a mistake from its first letter on, and so is every key
/// after it.
bool is_inside_list(const Complaint& complaint, const LineKey& key) { return complaint.column == key.column; }

}  // namespace

TomlText parse_toml(std::string text) {
  TomlText out;
  while (true) {
    Outcome outcome = attempt(text);
    if (auto* table = std::get_if<toml::table>(&outcome)) {
      out.table = std::move(*table);
      return out;
    }
    Complaint complaint = std::get<Complaint>(std::move(outcome));
    const Line line = find_line(text, complaint.line);
    const auto key = key_of(std::string_view(text).substr(line.begin, line.size));
    const bool can_go_on = key && (is_redefinition(complaint) || !is_inside_list(complaint, *key));
    if (key && is_redefinition(complaint)) {
      complaint.column = key->column;
      complaint.text = fmt::format("key '{}' is given twice", escape_for_log(key->name, 64));
    }
    out.complaints.push_back(std::move(complaint));
    if (!can_go_on || out.complaints.size() >= kComplaintsMax) return out;
    text.replace(line.begin, line.size, line.size, ' ');
  }
}

std::unique_ptr<toml::node> parse_toml_value(std::string_view text) {
  Outcome outcome = attempt(fmt::format("value = {}\n", text));
  auto* table = std::get_if<toml::table>(&outcome);
  if (table == nullptr || table->size() != 1) return nullptr;
  toml::node* value = table->get("value");
  if (value->is_table()) return std::make_unique<toml::table>(std::move(*value->as_table()));
  if (value->is_array()) return std::make_unique<toml::array>(std::move(*value->as_array()));
  std::unique_ptr<toml::node> out;
  value->visit([&](auto& leaf) {
    using Leaf = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (toml::is_value<Leaf>) out = std::make_unique<Leaf>(std::move(leaf));
  });
  return out;
}

}  // namespace godwit::app

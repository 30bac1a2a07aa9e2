#include "app/config/plugin_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config/value_text.h"
#include "base/text.h"

namespace godwit::app {
namespace {

constexpr size_t kValuesMax = 1024;  ///< of one plugin's config
constexpr size_t kDepthMax = 8;      ///< of tables and lists in one another
constexpr std::string_view kKeys[] = {"enabled", "optional", "sha256", "unload", "config"};

bool is_plugin_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() < 64 && std::all_of(name.begin(), name.end(), allowed);
}

/// Reads the tables of one plugin; complaints name the key in full.
class SectionReader {
 public:
  SectionReader(std::string name, PluginSection& out) : name_(std::move(name)), out_(out) {}

  void read(const toml::table& table) {
    for (const auto& [key, node] : table) read_key(key, node);
  }
  std::vector<Complaint> take_complaints() { return std::move(complaints_); }

 private:
  void complain(const toml::source_position& at, std::string_view key, std::string_view text) {
    complaints_.push_back({at.line, at.column, fmt::format("{}.{}: {}", name_, escape_for_log(key, 64), text)});
  }

  void read_key(const toml::key& key, const toml::node& node) {
    const auto at = node.source().begin;
    if (key == "enabled") return read_flag(key.str(), node, out_.enabled);
    if (key == "optional") return read_flag(key.str(), node, out_.optional);
    if (key == "sha256") return read_digest(node);
    if (key == "unload") return read_unload(node);
    if (key == "config") {
      if (!node.is_table()) return complain(at, key, fmt::format("expected a table [{}.config]", name_));
      return read_values("", node, 0);
    }
    const auto near = nearest(key.str(), kKeys);
    complaints_.push_back({key.source().begin.line, key.source().begin.column,
                           fmt::format("unknown key '{}' in [{}]{}; a plugin's own settings stand in [{}.config]",
                                       escape_for_log(key.str(), 64), name_,
                                       near ? fmt::format("; did you mean '{}'?", *near) : "", name_)});
  }

  void read_flag(std::string_view key, const toml::node& node, bool& out) {
    if (const auto value = node.value_exact<bool>()) {
      out = *value;
    } else {
      complain(node.source().begin, key, "expected true or false");
    }
  }

  void read_digest(const toml::node& node) {
    const auto text = node.value_exact<std::string_view>();
    if (text && text->empty()) return out_.pinned.reset();
    const auto digest = text ? parse_sha256(*text) : std::nullopt;
    if (!digest) return complain(node.source().begin, "sha256", "expected 64 hexadecimal digits, as sha256sum prints");
    out_.pinned = digest;
  }

  void read_unload(const toml::node& node) {
    const auto text = node.value_exact<std::string_view>();
    if (text != "never" && text != "drained")
      return complain(node.source().begin, "unload", "expected one of \"never\", \"drained\"");
    out_.unload = text == "never" ? host::Unload::kNever : host::Unload::kDrained;
  }

  /// Leaves under the names that plugins ask for: tables joined by dots, elements numbered.
  void read_values(const std::string& path, const toml::node& node, size_t depth) {
    if (depth > kDepthMax)
      return complain(node.source().begin, "config", fmt::format("nested deeper than {} levels", kDepthMax));
    const auto below = [&](std::string_view name) {
      return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
    };
    if (const toml::table* table = node.as_table()) {
      for (const auto& [key, value] : *table) read_values(below(key.str()), value, depth + 1);
    } else if (const toml::array* array = node.as_array()) {
      size_t index = 0;
      for (const toml::node& value : *array) read_values(below(std::to_string(index++)), value, depth + 1);
    } else {
      read_leaf(path, node);
    }
  }

  void read_leaf(const std::string& path, const toml::node& node) {
    if (out_.values.size() >= kValuesMax)
      return complain(node.source().begin, "config", fmt::format("more than {} values", kValuesMax));
    if (const auto text = node.value_exact<std::string>()) {
      if (!is_valid_utf8(*text)) return complain(node.source().begin, "config." + path, "expected UTF-8 text");
      out_.values[path] = *text;
    } else if (const auto integer = node.value_exact<int64_t>()) {
      out_.values[path] = *integer;
    } else if (const auto real = node.value_exact<double>()) {
      out_.values[path] = *real;
    } else if (const auto boolean = node.value_exact<bool>()) {
      out_.values[path] = *boolean;
    } else {
      complain(node.source().begin, "config." + path, "expected a text, a number or a boolean, got a date or time");
    }
  }

  const std::string name_;
  PluginSection& out_;
  std::vector<Complaint> complaints_;
};

std::string_view name_of(host::Unload unload) { return unload == host::Unload::kNever ? "never" : "drained"; }

std::string digest_text(const PluginSection& plugin) { return plugin.pinned ? to_hex(*plugin.pinned) : std::string(); }

struct LeafText {
  std::string operator()(const std::string& text) const { return quote_json(text); }
  std::string operator()(int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const {
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".en") == text.npos ? text + ".0" : text;
  }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
};

}  // namespace

std::vector<Complaint> read_plugin_section(const toml::key& name, const toml::table& table, PluginsSection& plugins) {
  const auto at = name.source().begin;
  if (!is_plugin_name(name.str())) {
    return {{at.line, at.column,
             fmt::format("[plugins.{}]: a plugin's name has 1 to 63 letters, digits, _ and -",
                         escape_for_log(name.str(), 64))}};
  }
  PluginSection section;
  SectionReader reader(fmt::format("plugins.{}", name.str()), section);
  reader.read(table);
  auto complaints = reader.take_complaints();
  if (complaints.empty()) plugins.named[std::string(name.str())] = std::move(section);
  return complaints;
}

std::string plugin_sections_text(const PluginsSection& plugins) {
  std::string out;
  for (const auto& [name, plugin] : plugins.named) {
    out += fmt::format("\n[plugins.{}]\nenabled = {}\noptional = {}\nsha256 = \"{}\"\nunload = \"{}\"\n", name,
                       plugin.enabled, plugin.optional, digest_text(plugin), name_of(plugin.unload));
    if (plugin.values.empty()) continue;
    out += fmt::format("\n[plugins.{}.config]\n", name);
    for (const auto& [key, value] : plugin.values) out += fmt::format("{} = {}\n", key, std::visit(LeafText(), value));
  }
  return out;
}

std::string plugin_sections_json(const PluginsSection& plugins) {
  std::string out = "{";
  for (const auto& [name, plugin] : plugins.named) {
    out += fmt::format("{}{}:{{\"enabled\":{},\"optional\":{},\"sha256\":\"{}\",\"unload\":\"{}\",\"config\":{{",
                       out.size() > 1 ? "," : "", quote_json(name), plugin.enabled, plugin.optional,
                       digest_text(plugin), name_of(plugin.unload));
    std::string_view between = "";
    for (const auto& [key, value] : plugin.values) {
      out += fmt::format("{}{}:{}", between, quote_json(key), std::visit(LeafText(), value));
      between = ",";
    }
    out += "}}";
  }
  return out + "}";
}

}  // namespace godwit::app

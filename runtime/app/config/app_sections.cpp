#include "app/config/app_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/config/value_reader.h"
#include "app/config/value_text.h"
#include "base/text.h"
#include "base/units.h"

namespace godwit::app {
namespace {

constexpr size_t kConfigBytesMax = 256 << 10;  ///< of one app's settings as JSON: each VM keeps a copy
constexpr size_t kDepthMax = 16;               ///< of tables and lists in one another
constexpr double kExactMax = 0x1p53;           ///< integers beyond are other ones in Lua
constexpr std::string_view kLimits[] = {"memory_max", "burst_max",      "load_timeout", "handler_timeout",
                                        "cpu_max",    "coroutines_max", "http_allow"};
constexpr std::string_view kKeys[] = {"memory_max",     "burst_max",  "load_timeout", "handler_timeout", "cpu_max",
                                      "coroutines_max", "http_allow", "trust",        "config"};

bool is_app_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && is_printable(name) && name.find('/') == name.npos;
}

/// Reads the tables of one app; complaints name the key in full.
class SectionReader {
 public:
  SectionReader(std::string name, AppSection& out) : name_(std::move(name)), out_(out) {}

  void read(const toml::table& table) {
    for (const auto& [key, node] : table) read_key(key, node);
  }
  std::vector<Complaint> take_complaints() { return std::move(complaints_); }

 private:
  void complain(const toml::node& at, std::string_view key, std::string_view text) {
    const toml::source_position begin = at.source().begin;
    complaints_.push_back({begin.line, begin.column, fmt::format("{}.{}: {}", name_, escape_for_log(key, 64), text)});
  }

  void read_key(const toml::key& key, const toml::node& node) {
    if (std::ranges::find(kLimits, key.str()) != std::end(kLimits)) return read_limit(key.str(), node);
    if (key == "trust") return read_trust(node);
    if (key == "config") {
      if (!node.is_table()) return complain(node, "config", fmt::format("expected a table [{}.config]", name_));
      return read_config(node);
    }
    const auto near = nearest(key.str(), kKeys);
    complaints_.push_back({key.source().begin.line, key.source().begin.column,
                           fmt::format("unknown key '{}' in [{}]{}; an app's own settings stand in [{}.config]",
                                       escape_for_log(key.str(), 64), name_,
                                       near ? fmt::format("; did you mean '{}'?", *near) : "", name_)});
  }

  /// In form and bounds as the key of that name in [scripts].
  void read_limit(std::string_view name, const toml::node& node) {
    Config config;
    const auto faults = read_value(*find_key("scripts", name), node, config);
    for (const Complaint& fault : faults)
      complaints_.push_back({fault.line, fault.column, fmt::format("{}.{}: {}", name_, name, fault.text)});
    if (!faults.empty()) return;
    const ScriptsSection& read = config.scripts;
    if (name == "memory_max") out_.memory_max = read.memory_max;
    if (name == "burst_max") out_.burst_max = read.burst_max;
    if (name == "load_timeout") out_.load_timeout = read.load_timeout;
    if (name == "handler_timeout") out_.handler_timeout = read.handler_timeout;
    if (name == "cpu_max") out_.cpu_max = read.cpu_max;
    if (name == "coroutines_max") out_.coroutines_max = read.coroutines_max;
    if (name == "http_allow") out_.http_allow = read.http_allow;
  }

  void read_trust(const toml::node& node) {
    using Trust = host::AppSettings::Trust;
    const auto text = node.value_exact<std::string_view>();
    if (text != "sandbox" && text != "trusted")
      return complain(node, "trust", "expected one of \"sandbox\", \"trusted\"");
    out_.settings.trust = text == "trusted" ? Trust::kTrusted : Trust::kSandbox;
  }

  void read_config(const toml::node& node) {
    std::string json;
    write("config", node, 0, json);
    if (json.size() > kConfigBytesMax)
      return complain(node, "config", fmt::format("more than {} as JSON", format_bytes(kConfigBytesMax)));
    out_.settings.config = std::move(json);
  }

  void write(const std::string& path, const toml::node& node, size_t depth, std::string& json) {
    if (depth > kDepthMax) return complain(node, path, fmt::format("nested deeper than {} levels", kDepthMax));
    if (const toml::table* table = node.as_table()) {
      write_table(path, *table, depth, json);
    } else if (const toml::array* array = node.as_array()) {
      json += '[';
      for (const toml::node& value : *array) {
        if (json.back() != '[') json += ',';
        write(path, value, depth + 1, json);
      }
      json += ']';
    } else {
      write_leaf(path, node, json);
    }
  }

  void write_table(const std::string& path, const toml::table& table, size_t depth, std::string& json) {
    json += '{';
    for (const auto& [key, value] : table) {
      if (json.back() != '{') json += ',';
      json += quote_json(key.str()) + ':';
      write(fmt::format("{}.{}", path, key.str()), value, depth + 1, json);
    }
    json += '}';
  }

  void write_leaf(const std::string& path, const toml::node& node, std::string& json) {
    if (const auto text = node.value_exact<std::string_view>()) {
      if (!is_valid_utf8(*text)) return complain(node, path, "expected UTF-8 text");
      json += quote_json(*text);
    } else if (const auto integer = node.value_exact<int64_t>()) {
      if (std::abs(static_cast<double>(*integer)) >= kExactMax)
        return complain(node, path, "expected an integer below 2^53, or a text");
      json += fmt::format("{}", *integer);
    } else if (const auto real = node.value_exact<double>(); real && std::isfinite(*real)) {
      json += fmt::format("{}", *real);
    } else if (const auto boolean = node.value_exact<bool>()) {
      json += *boolean ? "true" : "false";
    } else {
      complain(node, path, "expected a text, a finite number or a boolean");
    }
  }

  const std::string name_;
  AppSection& out_;
  std::vector<Complaint> complaints_;
};

std::string_view name_of(host::AppSettings::Trust trust) {
  return trust == host::AppSettings::Trust::kTrusted ? "trusted" : "sandbox";
}

/// ["a","b"], in TOML and in JSON.
std::string list_text(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + quote_json(text);
  return out + "]";
}

/// Calls `each(name, value)` for what was set, in the file's spelling.
template <typename Each>
void for_each_limit(const AppSection& app, Each each) {
  if (app.memory_max) each("memory_max", quote_json(format_bytes(*app.memory_max)));
  if (app.burst_max) each("burst_max", quote_json(format_duration(*app.burst_max)));
  if (app.load_timeout) each("load_timeout", quote_json(format_duration(*app.load_timeout)));
  if (app.handler_timeout) each("handler_timeout", quote_json(format_duration(*app.handler_timeout)));
  if (app.cpu_max) each("cpu_max", quote_json(format_duration(*app.cpu_max)));
  if (app.coroutines_max) each("coroutines_max", fmt::format("{}", *app.coroutines_max));
  if (app.http_allow) each("http_allow", list_text(*app.http_allow));
}

}  // namespace

std::vector<Complaint> read_app_section(const toml::key& name, const toml::table& table, AppSections& apps) {
  const auto at = name.source().begin;
  if (!is_app_name(name.str())) {
    return {{at.line, at.column,
             fmt::format("[app.{}]: an app has the name of its folder", escape_for_log(name.str(), 64))}};
  }
  AppSection section;
  SectionReader reader(fmt::format("app.{}", name.str()), section);
  reader.read(table);
  auto complaints = reader.take_complaints();
  if (complaints.empty()) apps[std::string(name.str())] = std::move(section);
  return complaints;
}

std::string app_sections_text(const AppSections& apps) {
  std::string out;
  for (const auto& [name, app] : apps) {
    out += fmt::format("\n[app.{}]\ntrust = \"{}\"\n", quote_json(name), name_of(app.settings.trust));
    for_each_limit(
        app, [&](std::string_view key, const std::string& value) { out += fmt::format("{} = {}\n", key, value); });
    out += fmt::format("# config: {}\n", app.settings.config);
  }
  return out;
}

std::string app_sections_json(const AppSections& apps) {
  std::string out = "{";
  for (const auto& [name, app] : apps) {
    out += fmt::format("{}{}:{{\"trust\":\"{}\"", out.size() > 1 ? "," : "", quote_json(name),
                       name_of(app.settings.trust));
    for_each_limit(
        app, [&](std::string_view key, const std::string& value) { out += fmt::format(",\"{}\":{}", key, value); });
    out += fmt::format(",\"config\":{}}}", app.settings.config);
  }
  return out + "}";
}

}  // namespace godwit::app

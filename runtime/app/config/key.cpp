#include "app/config/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/units.h"

namespace godwit::app {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string quoted_list(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", name);
  return out;
}

Duration as_duration(uint64_t ns) { return Duration(static_cast<Duration::rep>(ns)); }

std::string list_of(const Key& key, std::string_view what) {
  return fmt::format("list of {} to {} {}", key.range.minimum, key.range.maximum, what);
}

struct TypeText {
  const Key& key;

  std::string operator()(const bool*) const { return "true or false"; }
  std::string operator()(const uint64_t*) const {
    return fmt::format("integer, {} to {}", key.range.minimum, key.range.maximum);
  }
  std::string operator()(ByteCount) const {
    return fmt::format("size, {} to {}", format_bytes(key.range.minimum), format_bytes(key.range.maximum));
  }
  std::string operator()(const Duration*) const {
    return fmt::format("duration, {} to {}", format_duration(as_duration(key.range.minimum)),
                       format_duration(as_duration(key.range.maximum)));
  }
  std::string operator()(const double*) const { return "ratio, 0.0 to 1.0"; }
  std::string operator()(const std::string*) const {
    return key.form == Form::kAddressOrOff ? "address HOST:PORT, or \"off\"" : "text";
  }
  std::string operator()(const std::filesystem::path*) const { return "path"; }
  std::string operator()(const Choice& choice) const { return "one of " + quoted_list(choice.names); }
  std::string operator()(const std::vector<std::string>*) const {
    return list_of(key, key.form == Form::kAddress ? "addresses HOST:PORT" : "texts");
  }
  std::string operator()(const std::vector<std::filesystem::path>*) const { return list_of(key, "paths"); }
  std::string operator()(const std::map<std::string, LogLevel>*) const { return "table of module = level"; }
};

}  // namespace

std::string_view name_of(ReloadClass reload) {
  switch (reload) {
    case ReloadClass::kLive: return "live";
    case ReloadClass::kNewConnections: return "new-connections";
    case ReloadClass::kRestart: return "restart";
  }
  return "unknown";
}

std::string Key::full_name() const { return fmt::format("{}.{}", section, name); }

std::string Key::environment_name() const { return fmt::format("GODWIT_{}__{}", upper(section), upper(name)); }

const Section* find_section(std::string_view name) {
  for (const Section& section : all_sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Key* find_key(std::string_view section, std::string_view name) {
  for (const Key& key : all_keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string_view> key_names(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : all_keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const Section& section : all_sections()) names.push_back(section.name);
  return names;
}

Field field_of(const Key& key, const Config& config) {
  // The table has one accessor per key; this overload's callers only read through what it returns.
  return key.field(const_cast<Config&>(config));
}

std::string describe_type(const Key& key) {
  const Config defaults;
  return std::visit(TypeText{key}, field_of(key, defaults));
}

}  // namespace godwit::app

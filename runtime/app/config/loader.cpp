#include "app/config/loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config/document.h"
#include "app/config/file_reader.h"
#include "app/config/rules.h"
#include "app/config/value_reader.h"
#include "base/text.h"

extern char** environ;

namespace godwit::app {
namespace {

constexpr std::string_view kPrefix = "GODWIT_";

// The place of the rebuilt dependencies, for ./dev.
constexpr std::string_view kOtherVariables[] = {"GODWIT_DEPS"};

constexpr const char* kSetOption = "--set ";

constexpr uint64_t kFileBytesMax = 1 << 20;

std::string suggestion(std::string_view text, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  const auto near = nearest(text, views);
  return near ? fmt::format("; did you mean {}?", *near) : std::string();
}

template <typename NameOf>
std::vector<std::string> names_of_keys(NameOf name_of) {
  std::vector<std::string> names;
  for (const Key& key : all_keys()) names.push_back(name_of(key));
  return names;
}

/// "element 2: ", where a complaint is about one of a list, which has no line and column that a person could see.
std::string element_at(const toml::node& value, const Complaint& complaint) {
  const toml::array* list = value.as_array();
  for (size_t i = 0; list && i < list->size(); ++i) {
    const toml::source_position begin = list->get(i)->source().begin;
    if (begin.line == complaint.line && begin.column == complaint.column) return fmt::format("element {}: ", i + 1);
  }
  return {};
}

/// Joins the sources in their order and collects what is wrong.
class Loader {
 public:
  Loader() { loaded_.sources.resize(all_keys().size()); }

  void take_file(const std::filesystem::path& path) {
    const auto text = read_text_file(path, kFileBytesMax);
    if (!text) {
      errors_.push_back(text.error());
      return;
    }
    const Document document = read_document(parse_toml(*text), loaded_.config);
    for (const Complaint& c : document.complaints) add(place_in(path, c.line, c.column), c.text);
    for (const auto& seen : document.seen) {
      set_source(*seen.key, {Origin::kFile, place_in(path, seen.line, seen.column)});
    }
  }

  void take_environment(std::vector<std::string> variables) {
    std::sort(variables.begin(), variables.end());
    for (const std::string_view variable : variables) {
      const size_t equals = variable.find('=');
      const std::string_view name = variable.substr(0, equals);
      if (equals == std::string_view::npos || name.substr(0, kPrefix.size()) != kPrefix) continue;
      if (std::ranges::find(kOtherVariables, name) != std::end(kOtherVariables)) continue;
      take_variable(name, variable.substr(equals + 1));
    }
  }

  void take_setting(std::string_view setting) {
    const size_t equals = setting.find('=');
    const std::string_view name = setting.substr(0, equals);
    const std::string place = kSetOption + escape_for_log(name, 128);
    if (equals == std::string_view::npos) return add(place, "expected section.key=VALUE");
    const auto names = names_of_keys([](const Key& key) { return key.full_name(); });
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return add(place, "unknown key" + suggestion(name, names));
    take_override(all_keys()[static_cast<size_t>(found - names.begin())], setting.substr(equals + 1),
                  {Origin::kCommandLine, place});
  }

  void check_rules() {
    for (const Violation& violation : check_rules_of(loaded_.config)) {
      // At the value that somebody chose, when the other is a default.
      const auto chosen = std::ranges::find_if(
          violation.keys, [&](const Key* key) { return loaded_.source_of(*key).origin != Origin::kDefault; });
      const Key& at = chosen == violation.keys.end() ? *violation.keys.front() : **chosen;
      add_fault(*violation.keys.front(), loaded_.source_of(at), violation.text);
    }
  }

  tl::expected<LoadedConfig, std::vector<Error>> finish() {
    if (errors_.empty()) check_rules();
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));
    return std::move(loaded_);
  }

 private:
  static std::string place_in(const std::filesystem::path& path, uint32_t line, uint32_t column) {
    return fmt::format("{}:{}:{}", path.string(), line, column);
  }

  void add(std::string_view place, std::string_view text) {
    errors_.push_back({Code::kConfigInvalid, fmt::format("{}: {}", place, text)});
  }

  void add_fault(const Key& key, const LoadedConfig::Source& source, std::string_view text) {
    // An option names its key itself.
    if (source.place == kSetOption + key.full_name()) return add(source.place, text);
    add(source.place, fmt::format("{}: {}", key.full_name(), text));
  }

  void take_variable(std::string_view name, std::string_view value) {
    const auto names = names_of_keys([](const Key& key) { return key.environment_name(); });
    const auto found = std::ranges::find(names, name);
    const std::string place = escape_for_log(name, 128);
    if (found == names.end()) return add(place, "unknown variable" + suggestion(name, names));
    take_override(all_keys()[static_cast<size_t>(found - names.begin())], value, {Origin::kEnvironment, place});
  }

  void take_override(const Key& key, std::string_view text, LoadedConfig::Source source) {
    const auto node = read_override(key, text);
    if (node == nullptr) {
      return add_fault(key, source, fmt::format("expected {}, got '{}'", describe_type(key), escape_for_log(text, 64)));
    }
    for (const Complaint& complaint : read_value(key, *node, loaded_.config)) {
      add_fault(key, source, element_at(*node, complaint) + complaint.text);
    }
    set_source(key, std::move(source));
  }

  void set_source(const Key& key, LoadedConfig::Source source) {
    loaded_.sources[static_cast<size_t>(&key - all_keys().data())] = std::move(source);
  }

  LoadedConfig loaded_;
  std::vector<Error> errors_;
};

}  // namespace

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::kDefault: return "default";
    case Origin::kFile: return "file";
    case Origin::kEnvironment: return "environment";
    case Origin::kCommandLine: return "command line";
  }
  return "unknown";
}

const LoadedConfig::Source& LoadedConfig::source_of(const Key& key) const {
  return sources[static_cast<size_t>(&key - all_keys().data())];
}

tl::expected<LoadedConfig, std::vector<Error>> load_config(const ConfigSources& sources) {
  Loader loader;
  if (sources.file) loader.take_file(*sources.file);
  loader.take_environment(sources.environment);
  for (const std::string& setting : sources.settings) loader.take_setting(setting);
  return loader.finish();
}

std::vector<std::string> process_environment() {
  std::vector<std::string> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) out.emplace_back(*variable);
  return out;
}

std::span<const std::string_view> other_variables() { return kOtherVariables; }

}  // namespace godwit::app

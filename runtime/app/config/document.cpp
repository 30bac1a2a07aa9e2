#include "app/config/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config/app_sections.h"
#include "app/config/plugin_sections.h"
#include "app/config/value_reader.h"
#include "base/text.h"

namespace godwit::app {
namespace {

/// Where a key of this name would be at home, as the end of a complaint.
std::string home_of(std::string_view name) {
  std::string out;
  for (const Key& key : all_keys()) {
    if (key.name == name) out += fmt::format("{} [{}]", out.empty() ? "; it belongs to" : " or", key.section);
  }
  return out;
}

std::string unknown_section(std::string_view name) {
  const auto near = nearest(name, section_names());
  return fmt::format("unknown section [{}]{}", escape_for_log(name, 64),
                     near ? fmt::format("; did you mean [{}]?", *near) : "");
}

std::string unknown_key(std::string_view name, const Section& section) {
  const auto near = nearest(name, key_names(section.name));
  return fmt::format("unknown key '{}' in [{}]{}", escape_for_log(name, 64), section.name,
                     near ? fmt::format("; did you mean '{}'?", *near) : home_of(name));
}

std::string fault_at_root(std::string_view name, const Section* section, const toml::table* table) {
  if (section != nullptr) return fmt::format("'{0}' is a section: write [{0}], once", name);
  if (table != nullptr) return unknown_section(name);
  return fmt::format("unknown key '{}' outside of all sections{}", escape_for_log(name, 64), home_of(name));
}

void read_section(const Section& section, const toml::table& table, Config& config, Document& out) {
  for (const auto& [name, node] : table) {
    const auto at = name.source().begin;
    const Key* key = find_key(section.name, name.str());
    if (section.name == "app" && node.is_table()) {
      for (Complaint& fault : read_app_section(name, *node.as_table(), config.apps))
        out.complaints.push_back(std::move(fault));
      continue;
    }
    if (key == nullptr && section.name == "plugins" && node.is_table()) {
      for (Complaint& fault : read_plugin_section(name, *node.as_table(), config.plugins))
        out.complaints.push_back(std::move(fault));
      continue;
    }
    if (key == nullptr) {
      out.complaints.push_back({at.line, at.column, unknown_key(name.str(), section)});
      continue;
    }
    for (const Complaint& fault : read_value(*key, node, config)) {
      out.complaints.push_back({fault.line, fault.column, fmt::format("{}: {}", key->full_name(), fault.text)});
    }
    out.seen.push_back({key, at.line, at.column});
  }
}

}  // namespace

Document read_document(TomlText text, Config& config) {
  Document out;
  out.complaints = std::move(text.complaints);
  for (const auto& [name, node] : text.table) {
    const toml::table* table = node.as_table();
    if (name.str().substr(0, 2) == "x-" && table != nullptr) continue;
    const Section* section = find_section(name.str());
    const auto at = name.source().begin;
    if (section != nullptr && table != nullptr)
      read_section(*section, *table, config, out);
    else
      out.complaints.push_back({at.line, at.column, fault_at_root(name.str(), section, table)});
  }
  std::stable_sort(out.complaints.begin(), out.complaints.end(), [](const Complaint& a, const Complaint& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return out;
}

}  // namespace godwit::app

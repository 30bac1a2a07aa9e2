#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/config.h"
#include "app/config/toml_text.h"

namespace godwit::app {

/// Reads [plugins.NAME]: strict about its own keys, while those of [plugins.NAME.config] are the plugin's. Returns what
/// is wrong; then nothing is stored of what it is wrong about.
std::vector<Complaint> read_plugin_section(const toml::key& name, const toml::table& table, PluginsSection& plugins);

/// The same as TOML, for people: every key of every named plugin.
std::string plugin_sections_text(const PluginsSection& plugins);
/// {"NAME":{…},…}
std::string plugin_sections_json(const PluginsSection& plugins);

}  // namespace godwit::app

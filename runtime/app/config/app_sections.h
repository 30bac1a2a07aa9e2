#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/config/toml_text.h"

namespace godwit::app {

using AppSections = std::map<std::string, AppSection>;

/// Reads [app.NAME]: strict about its own keys, while those of [app.NAME.config] are the app's. Returns what is wrong;
/// then nothing is stored of it.
std::vector<Complaint> read_app_section(const toml::key& name, const toml::table& table, AppSections& apps);

/// The same as TOML, for people; what was set and nothing else, the app's own settings as JSON in a comment.
std::string app_sections_text(const AppSections& apps);
/// {"NAME":{…},…}
std::string app_sections_json(const AppSections& apps);

}  // namespace godwit::app

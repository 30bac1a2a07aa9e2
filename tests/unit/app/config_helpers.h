#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/loader.h"
#include "temp_folder.h"

namespace godwit::app {

/// The complaints about a file of this text, without its path: "LINE:COLUMN: …".
inline std::vector<std::string> complaints_about(std::string_view text) {
  const TempFolder folder;
  const auto path = folder.write("test.toml", text);
  const auto loaded = load_config({.file = path});
  std::vector<std::string> out;
  if (loaded) return out;
  for (const Error& error : loaded.error()) out.push_back(error.text.substr(path.string().size() + 1));
  return out;
}

/// The complaints about command line settings and an environment.
inline std::vector<std::string> complaints_about_settings(std::vector<std::string> settings,
                                                          std::vector<std::string> environment = {}) {
  const auto loaded = load_config({.environment = std::move(environment), .settings = std::move(settings)});
  std::vector<std::string> out;
  if (loaded) return out;
  for (const Error& error : loaded.error()) out.push_back(error.text);
  return out;
}

}  // namespace godwit::app

#pragma once

#include <string>
#include <vector>

#include "app/config/config.h"
#include "host/unit_source.h"

namespace godwit::app {

/// What was found of one script or plugin.
struct UnitRead {
  std::string name;
  Result<host::UnitSourcePtr> source;
};

class PluginShelf;

/// Reads everything that scripts.paths and plugins.paths name, each unit for itself: one that can not be read does not
/// keep the others from being. An error is a path that can not be looked into, or two units of one name.
Result<std::vector<UnitRead>> read_units(const Config& config, PluginShelf& shelf);

/// Where new files shall be loaded as soon as they are there.
std::vector<std::filesystem::path> watched_folders(const Config& config);

/// The one of that name; UnitUnknown when there is none.
Result<host::UnitSourcePtr> read_unit(const Config& config, PluginShelf& shelf, const std::string& name);

/// What the operator says of an app becomes part of its version: when it changes, the app is loaded again.
void settle_app(host::AppSource& source, const Config& config);

}  // namespace godwit::app

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/unit_files.h"
#include "host/plugin_unit.h"

namespace godwit::app {

/// What outlives the versions of plugins.
class PluginShelf {
 public:
  /// How many generations of a plugin are mapped.
  std::shared_ptr<host::PluginImages> images_of(const std::string& plugin);
  /// A file that cannot be read any more is still about the plugin that it held before; one that never could is called
  /// after its file.
  std::string name_of(const std::filesystem::path& file) const;
  void remember(const std::filesystem::path& file, const std::string& plugin) { names_[file] = plugin; }

 private:
  std::map<std::string, std::shared_ptr<host::PluginImages>> images_;
  std::map<std::filesystem::path, std::string> names_;
};

/// Reads everything that plugins.paths names and that is not switched off, each plugin for itself. An error is a path
/// that can not be looked into, or two plugins of one name.
Result<std::vector<UnitRead>> read_plugins(const Config& config, PluginShelf& shelf);

/// Whether the server starts without this unit when it cannot be loaded: an optional plugin, or one in quarantine.
bool may_be_left_out(const Config& config, const std::string& unit, const Error& error);

}  // namespace godwit::app

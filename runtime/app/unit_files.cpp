#include "app/unit_files.h"

#include <iterator>
#include <set>

#include "app/config/config_text.h"
#include "app/plugin_units.h"
#include "app/settings.h"

namespace godwit::app {
namespace {

Result<std::vector<std::filesystem::path>> find_folders(const Config& config) {
  std::vector<std::filesystem::path> all;
  for (const std::filesystem::path& path : config.scripts.paths) {
    auto folders = host::find_apps(path);
    if (!folders) return folders;
    all.insert(all.end(), folders->begin(), folders->end());
  }
  return all;
}

/// What the app in a folder is called, also when it cannot be read.
std::string name_of_app(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).filename().string();
}

}  // namespace

void settle_app(host::AppSource& source, const Config& config) {
  const auto own = config.apps.find(source.name);
  if (own == config.apps.end()) return;
  source.settings = own->second.settings;
  source.hash ^= std::hash<std::string>()(app_section_text(config, source.name));
}

Result<std::vector<UnitRead>> read_units(const Config& config, PluginShelf& shelf) {
  const auto folders = find_folders(config);
  if (!folders) return tl::unexpected(folders.error());
  std::vector<UnitRead> units;
  std::set<std::string> names;
  for (const std::filesystem::path& folder : *folders) {
    std::string name = name_of_app(folder);
    if (!names.insert(name).second) {
      return fail(Code::kScriptLoadFailed, folder.string() + ": another app is called " + name + " already");
    }
    auto source = host::read_app(folder, app_limits(config)).map([&](host::AppSource read) {
      settle_app(read, config);
      return host::make_unit(std::move(read));
    });
    units.push_back({std::move(name), std::move(source)});
  }
  auto plugins = read_plugins(config, shelf);
  if (!plugins) return plugins;
  std::move(plugins->begin(), plugins->end(), std::back_inserter(units));
  return units;
}

std::vector<std::filesystem::path> watched_folders(const Config& config) {
  std::vector<std::filesystem::path> folders;
  if (config.scripts.reload == ReloadWhen::kWatch) folders = config.scripts.paths;
  if (config.plugins.reload == ReloadWhen::kWatch) {
    for (const std::filesystem::path& path : config.plugins.paths) {
      // A file that is replaced is another one: its folder says so.
      folders.push_back(path.extension() == ".so" ? std::filesystem::absolute(path).parent_path() : path);
    }
  }
  return folders;
}

Result<host::UnitSourcePtr> read_unit(const Config& config, PluginShelf& shelf, const std::string& name) {
  auto units = read_units(config, shelf);
  if (!units) return tl::unexpected(std::move(units.error()));
  for (UnitRead& unit : *units) {
    if (unit.name == name) return std::move(unit.source);
  }
  return fail(Code::kUnitUnknown, name);
}

}  // namespace godwit::app

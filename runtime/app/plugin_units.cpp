#include "app/plugin_units.h"

#include <fmt/format.h>

#include <set>

#include "app/plugin_quarantine.h"

namespace godwit::app {
namespace {

constexpr std::string_view kPrefix = "plugin/";  ///< of a plugin's name as a unit

PluginSection section_of(const Config& config, const std::string& plugin) {
  const auto found = config.plugins.named.find(plugin);
  PluginSection section = found == config.plugins.named.end() ? PluginSection() : found->second;
  section.call_warn = config.plugins.call_warn;
  section.call_max = config.plugins.call_max;
  section.pending_max = config.plugins.pending_max;
  return section;
}

Result<std::vector<std::filesystem::path>> find_files(const Config& config) {
  std::vector<std::filesystem::path> all;
  for (const std::filesystem::path& path : config.plugins.paths) {
    auto files = host::find_plugins(path);
    if (!files) return files;
    all.insert(all.end(), files->begin(), files->end());
  }
  return all;
}

}  // namespace

std::shared_ptr<host::PluginImages> PluginShelf::images_of(const std::string& plugin) {
  auto& images = images_[plugin];
  if (!images) images = std::make_shared<host::PluginImages>();
  return images;
}

std::string PluginShelf::name_of(const std::filesystem::path& file) const {
  const auto known = names_.find(file);
  return known == names_.end() ? file.stem().string() : known->second;
}

Result<std::vector<UnitRead>> read_plugins(const Config& config, PluginShelf& shelf) {
  const auto files = find_files(config);
  if (!files) return tl::unexpected(files.error());
  const PluginQuarantine quarantine = PluginQuarantine::read(crash_records(config.server.data_dir));
  std::vector<UnitRead> units;
  std::set<std::string> names;
  for (const std::filesystem::path& path : *files) {
    auto file = host::read_plugin(path, host::host_abi());
    if (file) shelf.remember(path, file->info.name);
    const std::string name = shelf.name_of(path);
    if (!names.insert(name).second)
      return fail(Code::kPluginLoadFailed, fmt::format("{}: another plugin is called {} already", path.string(), name));
    const PluginSection section = section_of(config, name);
    if (!section.enabled) continue;
    auto source = std::move(file).and_then([&](host::PluginFile read) -> Result<host::UnitSourcePtr> {
      if (const Status free = quarantine.check(read); !free) return tl::unexpected(free.error());
      return host::make_plugin_unit(std::move(read), section, shelf.images_of(name));
    });
    units.push_back({std::string(kPrefix) + name, std::move(source)});
  }
  return units;
}

bool may_be_left_out(const Config& config, const std::string& unit, const Error& error) {
  if (!unit.starts_with(kPrefix)) return false;
  return error.code == Code::kPluginQuarantined || section_of(config, unit.substr(kPrefix.size())).optional;
}

}  // namespace godwit::app

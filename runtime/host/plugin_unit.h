#pragma once

#include <memory>
#include <string>

#include "host/plugin_file.h"
#include "host/plugin_library.h"
#include "host/plugin_settings.h"
#include "host/unit_source.h"

namespace godwit::host {

/// A plugin as one version of a unit: what was read, and how it is to be run.
struct PluginSource {
  PluginFile file;
  PluginSettings settings;
  std::string unit_name() const { return "plugin/" + file.info.name; }
};

/// A plugin as a unit, named "plugin/NAME". PluginUntrusted when it is not the file that was pinned. `images` is the
/// same for all versions of one plugin.
Result<UnitSourcePtr> make_plugin_unit(PluginFile file, PluginSettings settings, std::shared_ptr<PluginImages> images);

}  // namespace godwit::host

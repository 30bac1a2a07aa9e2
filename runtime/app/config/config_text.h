#pragma once

#include <string>
#include <string_view>

#include "app/config/loader.h"

namespace godwit::app {

/// Values that ship as files in conf/: the defaults with every key explained, and the same for two sizes of server.
enum class Profile : uint8_t { kDefaults, kStandard, kHighPerformance };

Config profile_config(Profile profile);

/// A whole file: every key with its value, type, bounds, reload class and reason, and its default where the value is
/// another. Loading it gives profile_config(profile).
std::string profile_file(Profile profile);

enum class Detail : uint8_t { kValues, kOrigins };

/// The values in force, as TOML that can be loaded again; kOrigins adds where each came from.
std::string show_config(const LoadedConfig& loaded, Detail detail);

/// {"server":{"workers":{"value":0,"origin":"default","place":"","reload":"restart"},…},…}
std::string show_config_json(const LoadedConfig& loaded);

/// [app.NAME] as it was set; empty when it was not.
std::string app_section_text(const Config& config, const std::string& name);

}  // namespace godwit::app

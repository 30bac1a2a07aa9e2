#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "app/config/config.h"
#include "app/config/key.h"
#include "base/error.h"

namespace godwit::app {

/// Where settings come from. Later ones win: defaults, then the file, then the environment, then the command line.
struct ConfigSources {
  std::optional<std::filesystem::path> file;
  std::vector<std::string> environment;  ///< "NAME=VALUE"; only GODWIT_… is looked at
  std::vector<std::string> settings;     ///< "section.key=VALUE", from --set; of two for one key the later wins
};

enum class Origin : uint8_t { kDefault, kFile, kEnvironment, kCommandLine };
std::string_view name_of(Origin origin);

struct LoadedConfig {
  struct Source {
    Origin origin = Origin::kDefault;
    std::string place;  ///< "conf/dev.toml:3:10", "GODWIT_LOG__LEVEL", "--set log.level"; empty for a default
  };
  Config config;
  std::vector<Source> sources;  ///< of each key, in the order of all_keys()

  const Source& source_of(const Key& key) const;
};

/// Reads, checks and joins all sources. On failure every mistake of all of them is in the list, each text beginning
/// with its place ("file:line:col", the variable, or the option) and naming the key. Nothing is applied by halves.
tl::expected<LoadedConfig, std::vector<Error>> load_config(const ConfigSources& sources);

/// The environment of this process, as ConfigSources wants it.
std::vector<std::string> process_environment();

/// Variables that begin with GODWIT_ and are no settings of the server.
std::span<const std::string_view> other_variables();

}  // namespace godwit::app

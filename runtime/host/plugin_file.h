#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "host/plugin_info.h"

namespace godwit::host {

/// A plugin's file, read once: what was checked is what is run, whatever happens to the file afterwards.
struct PluginFile {
  std::filesystem::path path;  ///< absolute, without links
  std::string bytes;
  Sha256 digest{};
  PluginInfo info;
};

/// Reads a plugin's file. Refuses files that somebody else could have changed (PluginUntrusted): the file and its
/// folder belong to root or to the user we are, and neither group nor others may write to them. Then as inspect_plugin.
/// Texts begin with the path.
Result<PluginFile> read_plugin(const std::filesystem::path& path, HostAbi host);

/// All *.so directly below `path`, by name; `path` itself when it is a file.
Result<std::vector<std::filesystem::path>> find_plugins(const std::filesystem::path& path);

/// PluginUntrusted when the file is not the one that was pinned.
Status check_pin(const PluginFile& file, const std::optional<Sha256>& pinned);

}  // namespace godwit::host

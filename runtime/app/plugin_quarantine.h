#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/plugin_file.h"

namespace godwit::app {

/// Plugins that brought the server down again and again are not loaded: three crashes of the same file within ten
/// minutes, as CrashReport has noted them. A file with other contents gets a new chance.
class PluginQuarantine {
 public:
  static constexpr size_t kCrashesMax = 3;
  static constexpr int64_t kWithinSeconds = 600;

  /// A missing file means that nothing crashed. Lines that make no sense are passed over.
  static PluginQuarantine read(const std::filesystem::path& records);

  /// PluginQuarantined says how often it crashed, and how to lift the quarantine.
  Status check(const host::PluginFile& plugin) const;

 private:
  struct Crash {
    std::string name;
    std::string digest;  ///< the first 16 digits
    int64_t unix_s;
  };
  std::filesystem::path file_;
  std::vector<Crash> crashes_;
};

/// Where in the data folder crashes are noted.
std::filesystem::path crash_records(const std::filesystem::path& data_dir);

}  // namespace godwit::app

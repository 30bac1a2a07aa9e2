#include "app/plugin_quarantine.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace godwit::app {
namespace {

constexpr size_t kLinesMax = 10'000;  ///< that are looked at: of one crash a minute, a week

}  // namespace

std::filesystem::path crash_records(const std::filesystem::path& data_dir) { return data_dir / "plugin-crashes"; }

PluginQuarantine PluginQuarantine::read(const std::filesystem::path& records) {
  PluginQuarantine quarantine;
  quarantine.file_ = records;
  std::ifstream in(records);
  std::string text;
  while (quarantine.crashes_.size() < kLinesMax && std::getline(in, text)) {
    Crash crash;
    if (std::istringstream(text) >> crash.name >> crash.digest >> crash.unix_s) quarantine.crashes_.push_back(crash);
  }
  return quarantine;
}

Status PluginQuarantine::check(const host::PluginFile& plugin) const {
  const std::string digest = to_hex(plugin.digest).substr(0, 16);
  std::vector<int64_t> times;
  for (const Crash& crash : crashes_) {
    if (crash.name == plugin.info.name && crash.digest == digest) times.push_back(crash.unix_s);
  }
  for (size_t last = kCrashesMax - 1; last < times.size(); ++last) {
    if (times[last] - times[last - (kCrashesMax - 1)] > kWithinSeconds) continue;
    return fail(Code::kPluginQuarantined,
                fmt::format("{}: it was running in {} crashes, {} of them within {} minutes; replace it by a version "
                            "that was mended, or remove the lines that begin with '{} {}' from {} to load it all the "
                            "same",
                            plugin.path.string(), times.size(), kCrashesMax, kWithinSeconds / 60, plugin.info.name,
                            digest, file_.string()));
  }
  return {};
}

}  // namespace godwit::app

#pragma once

#include <string>
#include <vector>

#include "app/config/key.h"

namespace godwit::app {

struct Change {
  const Key* key;
  std::string before;  ///< as TOML
  std::string after;
};

/// What a reload does with each changed key.
struct ConfigDiff {
  std::vector<Change> applied;
  std::vector<Change> for_new_connections;
  std::vector<Change> needs_restart;

  bool empty() const { return applied.empty() && for_new_connections.empty() && needs_restart.empty(); }
};

ConfigDiff diff_configs(const Config& before, const Config& after);

/// What is in force after a reload: `wanted`, except that keys which need a restart keep their running value. Comparing
/// the next reload with this tells a restart that is still due again.
Config after_reload(const Config& running, const Config& wanted);

/// One line per key: "log.level: \"info\" -> \"debug\" (applied)"; "nothing changed" for none.
std::string describe(const ConfigDiff& diff);

}  // namespace godwit::app

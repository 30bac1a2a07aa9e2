#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/sha256.h"
#include "base/time.h"

namespace godwit::host {

/// A leaf of what stands in [plugins.NAME.config].
using PluginValue = std::variant<std::string, int64_t, double, bool>;

/// What becomes of a generation's code after its last instance.
enum class Unload : uint8_t {
  kNever,    ///< it stays mapped: threads or destructors that it left behind still find it
  kDrained,  ///< it is unmapped; only for plugins that declare GW_FLAG_CAN_UNLOAD
};

/// What the operator says of one plugin.
struct PluginSettings {
  std::optional<Sha256> pinned;  ///< the only contents of its file that are loaded
  Unload unload = Unload::kNever;
  std::map<std::string, PluginValue> values;  ///< by key; tables are joined by dots, elements of lists are numbered
  Duration call_warn = 5ms;                   ///< of one call into it; longer ones are counted and logged
  Duration call_max = 250ms;                  ///< longer ones count as a failure of the plugin
  size_t pending_max = 10'000;                ///< messages that it has deferred, per worker

  bool operator==(const PluginSettings&) const = default;
};

}  // namespace godwit::host

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/app.h"

namespace godwit::host {

/// One version of something that is loaded as a whole, read once: what every worker builds its instance from, so that
/// all workers run the same bytes. Immutable; any thread.
class UnitSource {
 public:
  enum class Kind : uint8_t { kScript, kPlugin };

  virtual ~UnitSource() = default;
  virtual Kind kind() const = 0;
  /// Unique among all units of a server, whatever their kind: it names the unit in logs, metrics and commands.
  virtual const std::string& name() const = 0;
  /// Equal for equal contents: a version that is live already is not built again.
  virtual uint64_t hash() const = 0;
  /// Builds one generation for one worker, on that worker's thread, or says with file and line why not. Leaves nothing
  /// behind after an error, and has no effect on the world before the first message.
  virtual Result<std::unique_ptr<App>> build(uint32_t generation, const AppLimits& limits, AppWorld world) const = 0;
};

using UnitSourcePtr = std::shared_ptr<const UnitSource>;

/// "script" or "plugin", for people.
inline std::string_view to_text(UnitSource::Kind kind) {
  return kind == UnitSource::Kind::kScript ? "script" : "plugin";
}

/// A Lua app as a unit.
UnitSourcePtr make_unit(AppSource source);

}  // namespace godwit::host

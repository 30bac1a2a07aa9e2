#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/unit_metric.h"

namespace godwit {

/// What the scripts and plugins of a process count. A metric belongs to a unit, not to one of its generations: whoever
/// declares it again goes on with what was counted. From any thread.
class MetricStore {
 public:
  static constexpr size_t kMetricsMax = 100;  ///< of one generation of a unit

  explicit MetricStore(uint32_t workers) : workers_(workers) {}

  using Metrics = std::vector<std::shared_ptr<UnitMetric>>;
  struct View {
    std::string unit;
    std::shared_ptr<const UnitMetric> metric;
  };

  /// The unit's metric of that declaration. Nobody sees it before `show`: its generation may never go live. ValueWrong:
  /// the declaration makes no sense, or another unit of this kind has a metric of this name and another type.
  Result<std::shared_ptr<UnitMetric>> declare(std::string_view unit, const MetricDeclaration& declaration);

  /// The unit's live generation declares these, and no others.
  void show(std::string_view unit, const Metrics& metrics);

  /// Those that are shown.
  std::vector<View> views() const;

 private:
  struct Unit {
    Metrics known;  ///< of any generation that lives
    Metrics shown;
  };
  Status check_type(std::string_view unit, const MetricDeclaration& declaration) const;
  static void forget_unused(Unit& unit);

  const uint32_t workers_;
  mutable std::mutex mutex_;
  std::map<std::string, Unit, std::less<>> units_;
};

/// Plugins are units of names such as "plugin/limiter"; their metrics and those of scripts do not meet.
inline bool is_plugin_unit(std::string_view unit) { return unit.starts_with("plugin/"); }

}  // namespace godwit

#pragma once

#include <string>

#include "base/metric_store.h"

namespace godwit::host {

/// The counters and gauges that an instance has declared. Declared while it is made; afterwards from any thread.
class PluginMetrics {
 public:
  static constexpr size_t kMetricsMax = 64;

  /// Without a store nobody looks at what is counted.
  PluginMetrics(MetricStore* store, std::string unit, uint32_t worker)
      : store_(store), unit_(std::move(unit)), worker_(worker) {}

  /// Its number, or LimitReached, or why the declaration is refused.
  Result<uint32_t> declare(const MetricDeclaration& declaration) {
    if (metrics_.size() == kMetricsMax) return fail(Code::kLimitReached, "more than 64 metrics");
    auto metric = store_ ? store_->declare(unit_, declaration) : alone(declaration);
    if (!metric) return tl::unexpected(std::move(metric.error()));
    metrics_.push_back(std::move(*metric));
    return static_cast<uint32_t>(metrics_.size() - 1);
  }
  void add(size_t metric, int64_t amount) {
    if (metric < metrics_.size()) (void)metrics_[metric]->add(worker_, {}, static_cast<double>(amount));
  }
  void set(size_t metric, int64_t value) {
    if (metric < metrics_.size()) (void)metrics_[metric]->set(worker_, {}, static_cast<double>(value));
  }

  /// The generation is live: its metrics are those of the unit.
  void show() const {
    if (store_) store_->show(unit_, metrics_);
  }

 private:
  static Result<std::shared_ptr<UnitMetric>> alone(const MetricDeclaration& declaration) {
    if (const Status sound = check(declaration); !sound) return tl::unexpected(sound.error());
    return std::make_shared<UnitMetric>(declaration, 1);
  }

  MetricStore* const store_;
  const std::string unit_;
  const uint32_t worker_;
  MetricStore::Metrics metrics_;
};

}  // namespace godwit::host

#pragma once

#include <array>
#include <atomic>
#include <string>
#include <vector>

namespace godwit::host {

/// The counters and gauges that an instance has declared. Declared while it is made; afterwards from any thread.
class PluginMetrics {
 public:
  static constexpr size_t kMetricsMax = 64;
  enum class Type : uint8_t { kCounter, kGauge };

  struct Sample {
    std::string name;
    std::string help;
    Type type = Type::kCounter;
    int64_t value = 0;
  };

  /// Its number; kMetricsMax: there are too many.
  size_t declare(Type type, std::string_view name, std::string_view help) {
    if (declared_.size() == kMetricsMax) return kMetricsMax;
    declared_.push_back({std::string(name), std::string(help), type, 0});
    return declared_.size() - 1;
  }
  void add(size_t metric, int64_t amount) {
    if (metric < kMetricsMax) values_[metric].fetch_add(amount, std::memory_order_relaxed);
  }
  void set(size_t metric, int64_t value) {
    if (metric < kMetricsMax) values_[metric].store(value, std::memory_order_relaxed);
  }

  std::vector<Sample> samples() const {
    std::vector<Sample> out = declared_;
    for (size_t i = 0; i < out.size(); ++i) out[i].value = values_[i].load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::vector<Sample> declared_;
  std::array<std::atomic<int64_t>, kMetricsMax> values_{};
};

}  // namespace godwit::host

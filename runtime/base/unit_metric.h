#pragma once

#include <tsl/robin_map.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

/// What a script or plugin says of something that it counts.
struct MetricDeclaration {
  MetricType type{};
  std::string name;                 ///< 1 to 64 of a-z, 0-9 and _, a letter first
  std::string help;                 ///< one line
  std::vector<std::string> labels;  ///< their names, spelled likewise; at most 8
  std::vector<double> buckets;      ///< of a histogram: upper ends, ascending; 1 to 30

  bool operator==(const MetricDeclaration&) const = default;
};
/// ValueWrong, with the reason.
Status check(const MetricDeclaration& declaration);

/// What was counted under one combination of label values, all workers together.
struct MetricSample {
  std::vector<std::string> labels;  ///< values, in the order of the declaration
  double value = 0;                 ///< of a histogram: the sum of all observations
  std::vector<uint64_t> buckets;    ///< of a histogram: observations up to each upper end; at last all of them
};

/// Something that a script or plugin counts. Each worker writes to a part of its own, which is nearly never contended;
/// what is read is the sum of them, for gauges as well: what a worker sets is its share. From any thread.
///
/// Combinations of label values are bounded: beyond kSeriesMax of a worker a new one is refused, and counted.
class UnitMetric {
 public:
  static constexpr size_t kSeriesMax = 1000;
  static constexpr size_t kLabelBytesMax = 128;
  using LabelValues = std::span<const std::string_view>;

  UnitMetric(MetricDeclaration declaration, uint32_t workers);

  const MetricDeclaration& declaration() const { return declaration_; }

  // As many label values as the declaration has labels: printable text. LimitReached: one combination too many;
  // ValueWrong: a value that makes no sense.

  /// To a counter or gauge. Counters only grow.
  Status add(uint32_t worker, LabelValues labels, double amount);
  /// A gauge's share of this worker.
  Status set(uint32_t worker, LabelValues labels, double value);
  /// Of a histogram.
  Status observe(uint32_t worker, LabelValues labels, double value);

  /// In the order of their label values. A metric without labels has one from the beginning.
  std::vector<MetricSample> samples() const;
  /// How often a combination was one too many.
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  struct Series {
    double value = 0;
    std::vector<uint64_t> buckets;  ///< by bucket, not added up; at last what is beyond all
  };
  struct Part {
    mutable std::mutex mutex;
    std::string key;  ///< worked in
    tsl::robin_map<std::string, Series> series;
  };
  template <typename Change>
  Status change(uint32_t worker, LabelValues labels, double number, Change change);
  void merge(const Part& part, std::map<std::string, MetricSample>& sums) const;

  const MetricDeclaration declaration_;
  std::vector<std::unique_ptr<Part>> parts_;  ///< by worker
  std::atomic<uint64_t> refused_{0};
};

}  // namespace godwit

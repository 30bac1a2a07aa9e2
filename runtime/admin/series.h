#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "admin/scrape.h"
#include "base/histogram.h"

namespace godwit::admin {

enum class SeriesType : uint8_t { kCounter, kGauge, kHistogram };
std::string_view name_of(SeriesType type);

/// The values of one metric while it is collected, one for each combination of labels.
class Series {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Series(std::string_view name, std::string_view help, SeriesType type);

  void add(Labels labels, double value);
  void add(Labels labels, uint64_t value) { add(labels, static_cast<double>(value)); }
  void add(Labels labels, const Counter& counter) { add(labels, counter.value()); }
  void add(Labels labels, const HistogramSnapshot& histogram);

  prometheus::MetricFamily take() { return std::move(family_); }

 private:
  prometheus::ClientMetric& append(Labels labels);

  prometheus::MetricFamily family_;
};

/// A counter or gauge of all workers together.
template <typename Value>
double total(const Scrape& scrape, Value value) {
  double sum = 0;
  for (const WorkerView& worker : scrape.workers) sum += static_cast<double>(value(*worker.metrics).value());
  return sum;
}

/// The histogram of all workers together.
template <typename Value>
HistogramSnapshot merged(const Scrape& scrape, Value value) {
  HistogramSnapshot sum;
  for (const WorkerView& worker : scrape.workers) sum.merge(value(*worker.metrics).snapshot());
  return sum;
}

}  // namespace godwit::admin

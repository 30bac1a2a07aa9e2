#include "admin/series.h"

#include "base/check.h"

namespace godwit::admin {
namespace {

/// Upper ends in seconds: they cover targets from half a millisecond to the longest default deadline.
constexpr Duration kBuckets[] = {500us, 1ms,   2500us, 5ms,    10ms, 25ms, 50ms, 100ms,
                                 250ms, 500ms, 1s,     2500ms, 5s,   10s,  30s};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

prometheus::MetricType kind_of(SeriesType type) {
  switch (type) {
    case SeriesType::kCounter: return prometheus::MetricType::Counter;
    case SeriesType::kGauge: return prometheus::MetricType::Gauge;
    case SeriesType::kHistogram: break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

std::string_view name_of(SeriesType type) {
  switch (type) {
    case SeriesType::kCounter: return "counter";
    case SeriesType::kGauge: return "gauge";
    case SeriesType::kHistogram: break;
  }
  return "histogram";
}

Series::Series(std::string_view name, std::string_view help, SeriesType type) {
  family_.name = name;
  family_.help = help;
  family_.type = kind_of(type);
}

void Series::add(Labels labels, double value) {
  GW_CHECK(family_.type != prometheus::MetricType::Histogram);
  prometheus::ClientMetric& metric = append(labels);
  if (family_.type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void Series::add(Labels labels, const HistogramSnapshot& histogram) {
  GW_CHECK(family_.type == prometheus::MetricType::Histogram);
  prometheus::ClientMetric::Histogram& out = append(labels).histogram;
  out.sample_count = histogram.count();
  out.sample_sum = seconds(histogram.sum());
  for (const Duration bound : kBuckets) out.bucket.push_back({histogram.count_at_most(bound), seconds(bound)});
}

prometheus::ClientMetric& Series::append(Labels labels) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [name, value] : labels) metric.label.push_back({std::string(name), std::string(value)});
  return metric;
}

}  // namespace godwit::admin

#include "admin/metric_table.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "admin/unit_metrics.h"

namespace godwit::admin {
namespace {

template <typename Visit>
void for_each_metric(Visit visit) {
  for (const auto group : {transport_metrics(), message_metrics(), store_metrics(), process_metrics()}) {
    for (const Metric& metric : group) visit(metric);
  }
}

}  // namespace

std::string metrics_as_markdown() {
  std::string out = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for_each_metric([&](const Metric& metric) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, name_of(metric.type), metric.labels, metric.help);
  });
  return out;
}

std::string metrics_as_text(const Scrape& scrape) {
  std::vector<prometheus::MetricFamily> families;
  for_each_metric([&](const Metric& metric) {
    Series series(metric.name, metric.help, metric.type);
    metric.collect(scrape, series);
    families.push_back(series.take());
  });
  for (prometheus::MetricFamily& family : unit_metrics(scrape)) families.push_back(std::move(family));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace godwit::admin

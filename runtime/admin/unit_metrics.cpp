#include "admin/unit_metrics.h"

#include <map>

namespace godwit::admin {
namespace {

using prometheus::ClientMetric;

constexpr std::string_view kPluginPrefix = "plugin/";

prometheus::MetricType kind_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return prometheus::MetricType::Counter;
    case MetricType::kGauge: return prometheus::MetricType::Gauge;
    case MetricType::kHistogram: break;
  }
  return prometheus::MetricType::Histogram;
}

std::string family_name(const MetricStore::View& view) {
  return (is_plugin_unit(view.unit) ? "godwit_plugin_" : "godwit_app_") + view.metric->declaration().name;
}

ClientMetric::Label owner_label(const MetricStore::View& view) {
  if (!is_plugin_unit(view.unit)) return {"app", view.unit};
  return {"plugin", view.unit.substr(kPluginPrefix.size())};
}

void add_value(const MetricDeclaration& declaration, const MetricSample& sample, ClientMetric& out) {
  if (declaration.type == MetricType::kCounter) out.counter.value = sample.value;
  if (declaration.type == MetricType::kGauge) out.gauge.value = sample.value;
  if (declaration.type != MetricType::kHistogram) return;
  out.histogram.sample_sum = sample.value;
  out.histogram.sample_count = sample.buckets.back();
  for (size_t i = 0; i < declaration.buckets.size(); ++i) {
    out.histogram.bucket.push_back({sample.buckets[i], declaration.buckets[i]});
  }
}

void add_samples(const MetricStore::View& view, prometheus::MetricFamily& family) {
  const MetricDeclaration& declaration = view.metric->declaration();
  for (const MetricSample& sample : view.metric->samples()) {
    ClientMetric& out = family.metric.emplace_back();
    out.label.push_back(owner_label(view));
    for (size_t i = 0; i < declaration.labels.size(); ++i) {
      out.label.push_back({declaration.labels[i], sample.labels[i]});
    }
    add_value(declaration, sample, out);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> unit_metrics(const Scrape& scrape) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (const MetricStore::View& view : scrape.unit_metrics) {
    const std::string name = family_name(view);
    auto [found, first] = families.try_emplace(name);
    prometheus::MetricFamily& family = found->second;
    if (first) {
      family.name = name;
      family.help = view.metric->declaration().help;
      family.type = kind_of(view.metric->declaration().type);
    }
    if (family.type == kind_of(view.metric->declaration().type)) add_samples(view, family);
  }
  std::vector<prometheus::MetricFamily> list;
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return list;
}

}  // namespace godwit::admin

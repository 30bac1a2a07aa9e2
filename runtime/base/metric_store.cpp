#include "base/metric_store.h"

#include <algorithm>

namespace godwit {
namespace {

std::string_view to_text(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: break;
  }
  return "histogram";
}

}  // namespace

/// Two units may count under one name, apart by a label, but not different things: a name has one type.
Status MetricStore::check_type(std::string_view unit, const MetricDeclaration& declaration) const {
  for (const auto& [name, other] : units_) {
    if (name == unit || is_plugin_unit(name) != is_plugin_unit(unit)) continue;
    for (const auto& metric : other.shown) {
      const MetricDeclaration& theirs = metric->declaration();
      if (theirs.name != declaration.name || theirs.type == declaration.type) continue;
      return fail(Code::kValueWrong, name + " has a " + std::string(to_text(theirs.type)) + " of this name");
    }
  }
  return {};
}

void MetricStore::forget_unused(Unit& unit) {
  std::erase_if(unit.known, [&](const std::shared_ptr<UnitMetric>& metric) {
    const bool shown = std::ranges::find(unit.shown, metric) != unit.shown.end();
    return !shown && metric.use_count() == 1;
  });
}

Result<std::shared_ptr<UnitMetric>> MetricStore::declare(std::string_view name, const MetricDeclaration& declaration) {
  if (const Status sound = check(declaration); !sound) return tl::unexpected(sound.error());
  const std::lock_guard lock(mutex_);
  if (const Status type = check_type(name, declaration); !type) return tl::unexpected(type.error());
  auto found = units_.find(name);
  if (found == units_.end()) found = units_.emplace(std::string(name), Unit{}).first;
  Unit& unit = found->second;
  for (const auto& known : unit.known) {
    if (known->declaration() == declaration) return known;
  }
  forget_unused(unit);
  return unit.known.emplace_back(std::make_shared<UnitMetric>(declaration, workers_));
}

void MetricStore::show(std::string_view name, const Metrics& metrics) {
  const std::lock_guard lock(mutex_);
  const auto unit = units_.find(name);
  if (unit == units_.end()) return;
  unit->second.shown = metrics;
  forget_unused(unit->second);
}

std::vector<MetricStore::View> MetricStore::views() const {
  const std::lock_guard lock(mutex_);
  std::vector<View> views;
  for (const auto& [name, unit] : units_) {
    for (const auto& metric : unit.shown) views.push_back({name, metric});
  }
  return views;
}

}  // namespace godwit

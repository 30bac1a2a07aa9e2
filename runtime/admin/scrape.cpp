#include "admin/scrape.h"

#include <algorithm>

namespace godwit::admin {

std::vector<AppView> apps_over_workers(const Scrape& scrape) {
  std::vector<AppView> sums;
  for (const AppView& app : scrape.apps) {
    const auto known = std::ranges::find(sums, app.name, &AppView::name);
    if (known == sums.end()) {
      sums.push_back(app);
      continue;
    }
    known->generation = std::max(known->generation, app.generation);
    known->memory_bytes += app.memory_bytes;
    known->memory_bytes_max += app.memory_bytes_max;
    known->handled += app.handled;
    known->errors += app.errors;
    known->timeouts += app.timeouts;
    known->waiting += app.waiting;
    known->handler_seconds.merge(app.handler_seconds);
  }
  return sums;
}

namespace {

std::map<std::string, transfer::StrategyView> strategies_over_workers(
    const std::vector<transfer::StrategyView>& strategies) {
  std::map<std::string, transfer::StrategyView> sums;
  for (const transfer::StrategyView& one : strategies) {
    transfer::StrategyView& sum = sums[one.name];
    for (size_t i = 0; i < kSizeClasses; ++i) sum.selections[i] += one.selections[i];
  }
  return sums;
}

}  // namespace

Scrape scrape(const AdminSource& source, const Clock& clock) {
  return {
      .now = clock.now(),
      .unix_us = clock.unix_us(),
      .workers = source.workers(),
      .apps = source.apps(),
      .app_reloads = source.app_reloads(),
      .facts = source.facts(),
      .unit_metrics = source.unit_metrics(),
      .strategies = strategies_over_workers(source.strategies()),
      .process = read_process_stats(),
  };
}

}  // namespace godwit::admin

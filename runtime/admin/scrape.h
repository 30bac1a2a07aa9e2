#pragma once

#include <map>

#include "admin/process_stats.h"
#include "admin/source.h"
#include "port/clock.h"

namespace godwit::admin {

/// Everything the admin plane can tell, gathered at one moment.
struct Scrape {
  Timestamp now;
  int64_t unix_us = 0;
  std::vector<WorkerView> workers;
  std::vector<AppView> apps;
  std::vector<AppReloads> app_reloads;
  ServerFacts facts;
  std::vector<MetricStore::View> unit_metrics;
  std::map<std::string, transfer::StrategyView> strategies;  ///< all workers together
  ProcessStats process;
};

/// One entry per app: counts and memory of all workers together, the newest generation.
std::vector<AppView> apps_over_workers(const Scrape& scrape);

Scrape scrape(const AdminSource& source, const Clock& clock);

}  // namespace godwit::admin

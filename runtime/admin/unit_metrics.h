#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "admin/scrape.h"

namespace godwit::admin {

/// What scripts and plugins count: godwit_app_NAME with the label `app`, godwit_plugin_NAME with the label `plugin`.
/// One family for each name, whoever else has it.
std::vector<prometheus::MetricFamily> unit_metrics(const Scrape& scrape);

}  // namespace godwit::admin

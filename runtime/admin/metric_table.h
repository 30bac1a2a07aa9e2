#pragma once

#include <span>
#include <string>
#include <string_view>

#include "admin/scrape.h"
#include "admin/series.h"

namespace godwit::admin {

/// One exported metric. Labels are fixed sets, worker numbers and the names of loaded apps: never what a peer chose.
struct Metric {
  std::string_view name;
  SeriesType type;
  std::string_view labels;  ///< "type, size_class"; empty for none
  std::string_view help;
  void (*collect)(const Scrape& scrape, Series& series);
};

/// Grouped by what they are about, in the order of the exposition.
std::span<const Metric> transport_metrics();
std::span<const Metric> message_metrics();
std::span<const Metric> store_metrics();
std::span<const Metric> process_metrics();

/// The table of the README: a line for every metric.
std::string metrics_as_markdown();

/// The Prometheus text format, version 0.0.4.
std::string metrics_as_text(const Scrape& scrape);

}  // namespace godwit::admin

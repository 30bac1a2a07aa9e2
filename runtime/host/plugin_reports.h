#pragma once

#include <string>

#include "base/log.h"
#include "host/app.h"
#include "host/plugin_settings.h"
#include "host/repeat_filter.h"
#include "port/clock.h"

namespace godwit::host {

/// What is said and counted of one instance's failures and delays; a flood of the same one is told by its number.
class PluginReports {
 public:
  /// `name`: "plugin/echo@3".
  PluginReports(Log log, std::string name, const PluginSettings& settings, const Clock& clock)
      : log_(log), name_(std::move(name)), settings_(settings), clock_(clock) {}

  void failed(std::string_view what, std::string_view error);
  /// A call has taken so long.
  void took(Duration time, std::string_view call);

  AppStats& stats() { return stats_; }
  const AppStats& stats() const { return stats_; }

 private:
  const Log log_;
  const std::string name_;
  const PluginSettings& settings_;
  const Clock& clock_;
  RepeatFilter reported_;
  AppStats stats_;
};

/// "StoreFull", or "status 9999".
std::string name_of_status(int32_t status);

}  // namespace godwit::host

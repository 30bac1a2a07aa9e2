#include "app/script_check.h"

#include "app/app_routes.h"
#include "app/plugin_units.h"
#include "app/settings.h"
#include "io/system_clock.h"
#include "io/system_entropy.h"

namespace godwit::app {
namespace {

/// What a script logs while it is only looked at is nobody's business.
class Silence final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

}  // namespace

ScriptCheck check_scripts(const Config& config) {
  ScriptCheck check;
  PluginShelf shelf;
  auto reads = read_units(config, shelf);
  if (!reads) {
    check.errors.push_back(reads.error());
    return check;
  }
  Silence silence;
  const io::SystemClock clock;
  TimerHeap timers;
  const std::shared_ptr<host::Watchdog> watchdog = host::make_watchdog();
  io::SystemEntropy entropy;
  const auto load = [&](const host::UnitSourcePtr& source) {
    return source->build(
        1, app_limits(config, source->name()),
        {.clock = clock, .timers = timers, .log = Log(silence, "host"), .watchdog = watchdog, .entropy = &entropy});
  };
  std::vector<std::unique_ptr<host::App>> apps;
  std::vector<RoutedApp> routed;
  for (UnitRead& read : *reads) {
    auto app = std::move(read.source).and_then(load);
    if (!app) {
      check.errors.push_back(app.error());
      continue;
    }
    check.handlers += (*app)->registrations().size();
    routed.push_back({read.name, app->get()});
    apps.push_back(std::move(*app));
  }
  if (const auto routes = route_apps(routed)) {
    check.warnings = never_reached(**routes, routed);
  } else {
    check.errors.push_back(routes.error());
  }
  return check;
}

}  // namespace godwit::app

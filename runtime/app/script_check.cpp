#include "app/script_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/app_routes.h"
#include "app/plugin_units.h"
#include "app/settings.h"
#include "base/text.h"
#include "io/system_clock.h"
#include "io/system_entropy.h"

namespace godwit::app {
namespace {

/// What a script logs while it is only looked at is nobody's business; but a plugin that refuses says why in its log.
class PluginsWords final : public LogSink {
 public:
  LogLevel level(std::string_view module) const override {
    return module == "plugin" ? LogLevel::kWarn : LogLevel::kOff;
  }
  void write(const LogRecord& record) override {
    words_.append("; it says: ").append(record.message);
    for (const LogField& field : record.fields) {
      const auto* text = std::get_if<std::string_view>(&field.value);
      if (text && field.key != "plugin") words_.append(fmt::format(" ({}: {})", field.key, *text));
    }
  }
  std::string take() { return std::exchange(words_, {}); }

 private:
  std::string words_;
};

/// Sections about a script or plugin that is not there: most likely their names are misspelt.
template <typename Sections, typename Wanted>
void warn_of_nobody(const Sections& sections, std::string_view kind, std::string_view prefix,
                    const std::vector<UnitRead>& units, Wanted wanted, std::vector<std::string>& warnings) {
  std::vector<std::string_view> names;
  for (const UnitRead& unit : units) {
    if (unit.name.starts_with("plugin/") == prefix.empty()) continue;
    names.push_back(std::string_view(unit.name).substr(prefix.size()));
  }
  for (const auto& [name, section] : sections) {
    if (!wanted(section) || std::ranges::find(names, name) != names.end()) continue;
    const auto near = nearest(name, names);
    warnings.push_back(fmt::format("[{}.{}] is about nobody: there is no {} of that name{}",
                                   prefix.empty() ? "app" : "plugins", name, kind,
                                   near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
}

}  // namespace

std::vector<std::string> sections_of_nobody(const Config& config, const std::vector<UnitRead>& units) {
  std::vector<std::string> warnings;
  warn_of_nobody(
      config.apps, "app", "", units, [](const AppSection&) { return true; }, warnings);
  warn_of_nobody(
      config.plugins.named, "plugin", "plugin/", units, [](const PluginSection& p) { return p.enabled; }, warnings);
  return warnings;
}

ScriptCheck check_scripts(const Config& config) {
  ScriptCheck check;
  PluginShelf shelf;
  auto reads = read_units(config, shelf);
  if (!reads) {
    check.errors.push_back(reads.error());
    return check;
  }
  check.warnings = sections_of_nobody(config, *reads);
  PluginsWords words;
  const io::SystemClock clock;
  TimerHeap timers;
  const std::shared_ptr<host::Watchdog> watchdog = host::make_watchdog();
  io::SystemEntropy entropy;
  const auto load = [&](const host::UnitSourcePtr& source) {
    return source->build(
        1, app_limits(config, source->name()),
        {.clock = clock, .timers = timers, .log = Log(words, "host"), .watchdog = watchdog, .entropy = &entropy});
  };
  std::vector<std::unique_ptr<host::App>> apps;
  std::vector<RoutedApp> routed;
  for (UnitRead& read : *reads) {
    auto app = std::move(read.source).and_then(load);
    const std::string said = words.take();
    if (!app) {
      check.errors.push_back(app.error());
      check.errors.back().text += said;
      continue;
    }
    check.handlers += (*app)->registrations().size();
    routed.push_back({read.name, app->get()});
    apps.push_back(std::move(*app));
  }
  if (const auto routes = route_apps(routed)) {
    for (std::string& warning : never_reached(**routes, routed)) check.warnings.push_back(std::move(warning));
  } else {
    check.errors.push_back(routes.error());
  }
  return check;
}

}  // namespace godwit::app

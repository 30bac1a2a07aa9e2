#include "app/script_check.h"

#include "app/server_scripts.h"
#include "app/settings.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

/// What a script logs while it is only looked at is nobody's business.
class Silence final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

}  // namespace

size_t check_scripts(const Config& config, std::vector<Error>& errors) {
  auto apps = read_apps(config);
  if (!apps) {
    errors.push_back(apps.error());
    return 0;
  }
  Silence silence;
  const io::SystemClock clock;
  const std::shared_ptr<host::Watchdog> watchdog = host::make_watchdog();
  const auto load = [&](const host::UnitSourcePtr& source) {
    return source->build(1, app_limits(config), {clock, Log(silence, "host"), watchdog, 0});
  };
  size_t handlers = 0;
  for (AppRead& read : *apps) {
    const auto app = std::move(read.source).and_then(load);
    if (app) {
      handlers += (*app)->registrations().size();
    } else {
      errors.push_back(app.error());
    }
  }
  return handlers;
}

}  // namespace godwit::app

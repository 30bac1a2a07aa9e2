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
  const auto sources = read_apps(config);
  if (!sources) {
    errors.push_back(sources.error());
    return 0;
  }
  Silence silence;
  const io::SystemClock clock;
  const std::shared_ptr<host::Watchdog> watchdog = host::make_watchdog();
  size_t handlers = 0;
  for (const auto& source : *sources) {
    const auto app = host::load_app(source, 1, app_limits(config), {clock, Log(silence, "host"), watchdog, 0});
    if (app) {
      handlers += (*app)->registrations().size();
    } else {
      errors.push_back(app.error());
    }
  }
  return handlers;
}

}  // namespace godwit::app

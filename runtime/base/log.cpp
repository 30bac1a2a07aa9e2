#include "base/log.h"

namespace godwit {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return "trace";
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
    case LogLevel::kOff: return "off";
  }
  return "unknown";
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (const LogLevel level : kLogLevels) {
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

}  // namespace godwit

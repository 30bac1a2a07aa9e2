#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace godwit {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

/// All levels, by rising severity.
inline constexpr LogLevel kLogLevels[] = {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo,
                                          LogLevel::kWarn,  LogLevel::kError, LogLevel::kOff};

/// "trace", "debug", "info", "warn", "error", "off"; the same names that `parse_log_level` takes.
std::string_view name_of(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view name);

struct LogField {
  std::string_view key;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <typename T>
  requires std::is_integral_v<T> LogField(std::string_view k, T v) : key(k) {
    if constexpr (std::is_signed_v<T>)
      value = static_cast<int64_t>(v);
    else
      value = static_cast<uint64_t>(v);
  }
  LogField(std::string_view k, Code v) : LogField(k, static_cast<uint64_t>(v)) {}
};

struct LogRecord {
  LogLevel level;
  std::string_view module;   ///< "quic", "session", "host", …
  std::string_view message;  ///< a constant sentence; what varies is in the fields
  std::span<const LogField> fields;
};

/// Where records go. Implementations are thread-safe, escape all bytes that peers or scripts chose, and bound a line to
/// 1 KiB.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual LogLevel level(std::string_view module) const = 0;
  virtual void write(const LogRecord& record) = 0;
};

/// A module's handle on the log: cheap to copy; formatting happens only when the level is enabled. Repeats of one
/// message are limited by the sink (see io/log_sink.h).
class Log {
 public:
  Log(LogSink& sink, std::string_view module) : sink_(&sink), module_(module) {}

  Log named(std::string_view module) const { return {*sink_, module}; }
  bool enabled(LogLevel level) const { return level >= sink_->level(module_); }

  void trace(std::string_view m, std::initializer_list<LogField> f = {}) const { write(LogLevel::kTrace, m, f); }
  void debug(std::string_view m, std::initializer_list<LogField> f = {}) const { write(LogLevel::kDebug, m, f); }
  void info(std::string_view m, std::initializer_list<LogField> f = {}) const { write(LogLevel::kInfo, m, f); }
  void warn(std::string_view m, std::initializer_list<LogField> f = {}) const { write(LogLevel::kWarn, m, f); }
  void error(std::string_view m, std::initializer_list<LogField> f = {}) const { write(LogLevel::kError, m, f); }
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
    write(level, message, std::span<const LogField>(fields.begin(), fields.size()));
  }
  /// For fields that are only known at run time: what a script logs.
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) const {
    if (enabled(level)) sink_->write({level, module_, message, fields});
  }

 private:
  LogSink* sink_;
  std::string_view module_;  // a string literal
};

}  // namespace godwit

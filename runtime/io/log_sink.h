#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "io/log_levels.h"
#include "io/log_line.h"
#include "io/log_repeats.h"
#include "port/clock.h"

namespace godwit::io {

class LogWriter;

struct LogOptions {
  LogFormat format = LogFormat::kText;
  std::filesystem::path file;       ///< empty: standard error
  size_t file_bytes_max = 3 << 20;  ///< then the file is renamed to name.1.ext and a new one begun
  size_t files_max = 5;             ///< old files kept
  LogLevel level = LogLevel::kInfo;
  std::map<std::string, LogLevel> modules;  ///< levels of some modules, where they differ
  uint32_t repeats_per_second = 10;  ///< of one message of one module; the rest is counted and summed up afterwards
  size_t queue_lines_max = 4096;     ///< waiting to be written
};

/// The log of a process: lines to standard error or to rotating files, written by a thread of its own. Everything here
/// may be called from any thread. Destroying it writes what is queued.
class SystemLogSink final : public LogSink {
 public:
  /// FileUnreadable when the file can not be opened.
  static Result<std::unique_ptr<SystemLogSink>> open(const LogOptions& options, const Clock& clock);
  ~SystemLogSink() override;

  LogLevel level(std::string_view module) const override { return levels_.of(module); }
  void write(const LogRecord& record) override;

  /// False when a module's name is too long or there are too many (LogLevels).
  bool set_levels(LogLevel standard, const std::map<std::string, LogLevel>& modules);

  /// Returns when everything written so far is with the system.
  void flush();

  /// Records of a level, held back ones included.
  uint64_t count(LogLevel level) const;
  /// Lines lost to a full queue or disk.
  uint64_t dropped() const;

 private:
  SystemLogSink(const LogOptions& options, const Clock& clock);
  void put(const LogRecord& record);
  void put(const LogRepeats::Suppressed& suppressed);
  void report_suppressed(Timestamp now);

  const LogFormat format_;
  const Clock& clock_;
  LogLevels levels_;
  std::array<std::atomic<uint64_t>, std::size(kLogLevels)> counts_{};
  std::mutex repeats_mutex_;
  LogRepeats repeats_;
  std::unique_ptr<LogWriter> writer_;
};

}  // namespace godwit::io

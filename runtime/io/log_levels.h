#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"

namespace godwit::io {

/// Which level each module of the program logs at. Read on every log call of every thread, without a lock; set now and
/// then.
class LogLevels {
 public:
  static constexpr size_t kModulesMax = 64;
  static constexpr size_t kNameBytesMax = 31;

  explicit LogLevels(LogLevel standard) : standard_(standard) {}

  LogLevel of(std::string_view module) const;

  /// The level of all modules, and those of some. Modules set before and not named now return to `standard`. Names that
  /// are too long, or beyond kModulesMax different ones in the life of the process, are ignored (false).
  bool set(LogLevel standard, const std::map<std::string, LogLevel>& modules);

 private:
  struct Module {
    std::string name;
    std::atomic<LogLevel> level;
    std::atomic<bool> own;  // false: logs at the standard level
  };

  Module* find(std::string_view name);
  bool set_one(const std::string& name, LogLevel level);

  std::atomic<LogLevel> standard_;
  std::mutex setting_;
  // Names are only ever added: readers see a name once it is counted, and never see it change.
  std::array<Module, kModulesMax> modules_;
  std::atomic<size_t> count_{0};
};

}  // namespace godwit::io

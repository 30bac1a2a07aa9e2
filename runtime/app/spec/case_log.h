#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.h"

namespace godwit::app {

/// What an app and its spec have logged during one case: shown when the case fails.
class CaseLog final : public LogSink {
 public:
  static constexpr size_t kLinesMax = 100;  ///< of one case; those that come first explain most

  LogLevel level(std::string_view) const override { return LogLevel::kInfo; }
  void write(const LogRecord& record) override;

  std::vector<std::string> take() { return std::exchange(lines_, {}); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace godwit::app

#pragma once

#include "base/log.h"

namespace godwit::client {

/// A log for programs that asked for none.
class QuietLog final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

}  // namespace godwit::client

#pragma once

#include <string>
#include <vector>

#include "base/log.h"

namespace godwit::io {

/// A log that keeps the sentences it was given.
class KeptLog final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kTrace; }
  void write(const LogRecord& record) override { messages.emplace_back(record.message); }

  std::vector<std::string> messages;
};

}  // namespace godwit::io

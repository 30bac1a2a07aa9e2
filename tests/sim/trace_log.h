#pragma once

#include <string>

#include "base/log.h"
#include "trace.h"

namespace godwit::sim {

/// Somebody's log, printed among the events of the world when the trace is; costs nothing otherwise.
class TraceLog final : public LogSink {
 public:
  TraceLog(const Trace& trace, std::string who) : trace_(trace), who_(std::move(who)) {}

  Log log() { return Log(*this, "core"); }

 private:
  LogLevel level(std::string_view module) const override;
  void write(const LogRecord& record) override;

  const Trace& trace_;
  const std::string who_;
};

}  // namespace godwit::sim

#include "app/commands/command_log.h"

#include "client/quiet_log.h"
#include "io/log_sink.h"

namespace godwit::app {

CommandLog::CommandLog(bool verbose) : sink_(std::make_unique<client::QuietLog>()) {
  if (!verbose) return;
  if (auto opened = io::SystemLogSink::open({.level = LogLevel::kTrace}, clock_)) sink_ = std::move(*opened);
}

}  // namespace godwit::app

#pragma once

#include <memory>

#include "base/log.h"
#include "io/system_clock.h"

namespace godwit::app {

/// The log of a verb that is no server: everything on stderr with --verbose, else nothing.
class CommandLog {
 public:
  explicit CommandLog(bool verbose);

  Log log() const { return {*sink_, "client"}; }

 private:
  io::SystemClock clock_;
  std::unique_ptr<LogSink> sink_;
};

}  // namespace godwit::app

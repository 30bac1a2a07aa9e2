#pragma once

#include <string>

namespace godwit::host {

/// While it lives, the calling thread runs a script's code. Nests. Kept per thread for the same reason as
/// RunningPlugin: a signal handler after a crash cannot be told.
class RunningApp {
 public:
  /// `name` ("echo@3") outlives this object.
  explicit RunningApp(const std::string& name);
  ~RunningApp();
  RunningApp(const RunningApp&) = delete;
  RunningApp& operator=(const RunningApp&) = delete;

  /// Whose code the calling thread runs; null: nobody's. Async-signal-safe.
  static const std::string* name();

 private:
  const std::string* const outer_;
};

}  // namespace godwit::host

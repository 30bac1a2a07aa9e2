#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/result.h"

namespace godwit::app {

/// A stack of its own for the signal handlers of the thread that made it, so that a crash by a full stack is reported
/// as well. Belongs to that thread.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  const std::unique_ptr<std::byte[]> memory_;
};

/// From its making to its end: when the process dies by a signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT), one line
/// on standard error names the signal, and the app or plugin and its generation that the thread was running; for a
/// plugin one line is added to a file as well, for the quarantine. Then the signal does what it would have done.
/// Signals belong to the process: at most one at a time.
class CrashReport {
 public:
  /// `records` is made when it is missing; empty: there are no plugins to be recorded. An error leaves everything as it
  /// was.
  static Result<std::unique_ptr<CrashReport>> install(const std::filesystem::path& records);
  ~CrashReport();
  CrashReport(const CrashReport&) = delete;
  CrashReport& operator=(const CrashReport&) = delete;

 private:
  explicit CrashReport(int records) : records_(records) {}
  const int records_;
};

}  // namespace godwit::app

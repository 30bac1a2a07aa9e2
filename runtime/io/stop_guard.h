#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/time.h"
#include "io/file_descriptor.h"

namespace godwit::io {

/// The signals by which a server is told to stop or to read its files again, on a thread of their own: they come also
/// while a loop is stuck, and a server that was told to stop stops in any case.
class StopGuard {
 public:
  /// From here on the signals wait for the guard, in this thread and in all that it starts. Before any thread is made.
  static void hold_signals();

  /// `on_signal` is called on the guard's thread, for each that came, those that waited included. `patience` after the
  /// first that stops, or at once after the third, `give_up` is called, and the process ends with exit code 1.
  StopGuard(Duration patience, std::function<void(int)> on_signal, std::function<void()> give_up);
  /// The server has stopped by itself.
  ~StopGuard();

 private:
  void run();
  bool take(int signal);

  const Duration patience_;
  const std::function<void(int)> on_signal_;
  const std::function<void()> give_up_;
  FileDescriptor signals_;
  FileDescriptor over_;
  int stops_ = 0;
  Timestamp deadline_ = kNever;
  std::thread thread_;
};

}  // namespace godwit::io

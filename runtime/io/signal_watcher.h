#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "base/result.h"
#include "io/uv_handle.h"

namespace godwit::io {

class Loop;

/// Turns signals of the process (SIGINT, SIGTERM, SIGHUP, …) into calls on the loop's thread. While it lives they do
/// not have their usual effect.
class SignalWatcher {
 public:
  static Result<std::unique_ptr<SignalWatcher>> watch(Loop& loop, std::initializer_list<int> signals,
                                                      std::function<void(int signal)> on_signal);

 private:
  SignalWatcher(Loop& loop, std::function<void(int)> on_signal) : loop_(loop), on_signal_(std::move(on_signal)) {}
  Status add(int signal);

  Loop& loop_;
  std::function<void(int)> on_signal_;
  std::vector<UvHandle<uv_signal_s>> handles_;
};

}  // namespace godwit::io

#pragma once

#include <godwit/client.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "client/caller.h"

namespace godwit::client {

/// Of all times that callers choose: longer ones would pass the end of the clock. A hundred years.
inline constexpr Duration kLongest = 24h * 36'500;

/// What a Client is made of: the thread on which everything happens, its own or the user's, and the bounded way into
/// it.
class Front {
 public:
  explicit Front(ClientOptions options);
  ~Front();

  /// From any thread. The result of a call that is refused is told before this returns.
  CallId submit(Call call);
  void cancel(CallId call);
  void close(StopReason reason = StopReason::kNone);
  void hurry();
  int descriptor();
  void process();

 private:
  std::optional<Error> admit(Call& call, CallId& id);
  void wake();
  void hand_over();

  const size_t pending_max_;
  const Duration connect_timeout_;
  const Duration request_timeout_;
  const bool own_thread_;
  std::atomic<size_t> pending_{0};
  Caller caller_;
  std::optional<Error> broken_;  ///< there is no thread, and this is why
  std::mutex mutex_;
  CallId last_call_ = 0;
  std::vector<Call> submitted_;    ///< not taken by the thread yet
  std::vector<CallId> withdrawn_;  ///< the same
  bool closed_ = false;
  std::atomic<bool> hurrying_{false};
  bool processing_ = false;  ///< the user's thread is in here
  std::thread thread_;
};

}  // namespace godwit::client

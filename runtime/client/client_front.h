#pragma once

#include <godwit/client.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "client/caller.h"

namespace godwit {

/// What a Client is made of: the thread on which everything happens, and the bounded way into it.
class [[gnu::visibility("hidden")]] Client::Front {
 public:
  explicit Front(ClientOptions options);
  ~Front();

  /// From any thread. The result of a call that is refused is told before this returns.
  void submit(client::Call call);
  void close();

 private:
  std::optional<Error> admit(client::Call & call);
  void hand_over();

  const size_t pending_max_;
  const Duration connect_timeout_;
  const Duration request_timeout_;
  std::atomic<size_t> pending_{0};
  client::Caller caller_;
  std::optional<Error> broken_;  ///< there is no thread, and this is why
  std::mutex mutex_;
  std::vector<client::Call> submitted_;  ///< not taken by the thread yet
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace godwit

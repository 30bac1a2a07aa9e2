#pragma once

#include "wire/message.h"

namespace godwit::session {

/// What became of a message somebody waits for: the peer's answer to a request, the acknowledgement of an event
/// (success, no body), or our own word that none will come (code, and kFailure or kTimeout). Views are valid during the
/// call.
struct Reply {
  wire::Status status = wire::Status::kFailure;
  Code code = Code::kOk;
  std::string_view text;
  std::span<const wire::Header> headers;
  Bytes body;
};

/// Waits for outcomes; told which one by the cookie it chose. Called exactly once per message that was accepted with a
/// waiter.
class ReplyWaiter {
 public:
  virtual ~ReplyWaiter() = default;
  virtual void on_reply(uint64_t cookie, const Reply& reply) = 0;
};

/// Nobody, or somebody and which of their messages.
struct Waiting {
  ReplyWaiter* waiter = nullptr;
  uint64_t cookie = 0;
  explicit operator bool() const { return waiter != nullptr; }
  void settle(const Reply& reply) const {
    if (waiter) waiter->on_reply(cookie, reply);
  }
};

}  // namespace godwit::session

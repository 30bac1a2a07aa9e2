#pragma once

#include <godwit/client.hpp>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "session/reply.h"

namespace godwit::client {

/// One call of the library on its way to its result.
struct Call {
  enum class Kind : uint8_t { kConnect, kRequest, kEvent } kind = Kind::kConnect;
  std::string action;
  std::string body;
  CallOptions options;
  Client::OnReply on_reply;  ///< called exactly once
  CallId id = 0;
  Timestamp deadline = kNever;
};

Reply to_reply(const session::Reply& reply);
Reply to_reply(const Error& error);

}  // namespace godwit::client

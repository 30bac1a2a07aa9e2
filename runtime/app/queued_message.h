#pragma once

#include <memory>

#include "host/once.h"
#include "port/clock.h"
#include "routing/route_table.h"
#include "session/session.h"
#include "wire/message.h"

namespace godwit::app {

/// A message on its way to its handler.
struct QueuedMessage {
  session::SessionId session;
  routing::Target target;
  uint64_t version;  ///< of the handlers when `target` was found
  Timestamp received;
  wire::StoredMessage message;
  size_t bytes = message.bytes();        ///< that it counts for in the queue
  uint8_t hops = 0;                      ///< how often it was handed on
  bool allowed = false;                  ///< to go to `target`
  bool handed_on = false;                ///< its verdict comes from where it went
  std::shared_ptr<host::OnceRun> run{};  ///< it has an idempotency key, and is to be executed
};

}  // namespace godwit::app

#pragma once

#include <memory>
#include <string>

#include "host/once.h"
#include "port/clock.h"
#include "routing/route_table.h"
#include "session/session.h"
#include "wire/message.h"

namespace godwit::app {

/// Where the answer of a message goes.
struct ReplyAddress {
  session::SessionId session;
  uint64_t message_id = 0;
  std::string
      spoken;  ///< the content-type that its sender speaks and handlers do not; empty: they understand each other
};

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
  std::string spoken{};                  ///< it was translated from this content-type

  bool is_request(session::SessionId from, uint64_t message_id) const {
    const wire::Envelope& envelope = message.envelope();
    return session == from && envelope.message_id() == message_id && wire::is_request(envelope.kind);
  }
};

}  // namespace godwit::app

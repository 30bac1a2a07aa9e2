#pragma once

#include "base/result.h"
#include "wire/message.h"

namespace godwit::session {

/// What a session sends through: one live connection, seen from the core. Calls queue and return; nothing is sent
/// before the end of the loop turn.
class Link {
 public:
  virtual ~Link() = default;
  /// Picks the lane: what is flagged unreliable goes as a datagram, all else by its size. The views are borrowed for
  /// the call.
  virtual Status send_message(const wire::Envelope& envelope, Bytes body) = 0;
  virtual void send_ack(const wire::Ack& ack) = 0;
  /// Ends the connection with this code.
  virtual void close(Code code, std::string_view text) = 0;
};

}  // namespace godwit::session

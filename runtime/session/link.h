#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "wire/message.h"

namespace godwit::session {

/// A large body in memory that whoever sends it may hold on to; null: there is none, only a view.
using SharedBody = std::shared_ptr<const std::vector<uint8_t>>;

/// What a session sends through: one live connection, seen from the core. Calls queue and return; nothing is sent
/// before the end of the loop turn.
class Link {
 public:
  virtual ~Link() = default;
  /// Picks the lane: what is flagged unreliable goes as a datagram, all else by its size. The views are borrowed for
  /// the call; `shared`, where it is not null, holds the body beyond it.
  virtual Status send_message(const wire::Envelope& envelope, Bytes body, const SharedBody& shared) = 0;
  virtual void send_ack(const wire::Ack& ack) = 0;
  /// Nobody waits for the answer to this request any more; a peer that does not read such frames hears nothing.
  virtual void send_cancel(uint64_t message_id) = 0;
  /// Bytes that were sent and have not arrived yet.
  virtual uint64_t undelivered() const = 0;
  /// Ends the connection with this code.
  virtual void close(Code code, std::string_view text) = 0;
};

}  // namespace godwit::session

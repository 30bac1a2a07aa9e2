#pragma once

#include "wire/message.h"

namespace godwit::session {

/// Bodies from here on are held in memory once, for the outbox and for the connection that is sending them.
inline constexpr size_t kSharedBodyBytes = 64 * 1024;

/// What a message counts for in the byte bounds: everything of it that its sender chose. Sender and receiver count
/// alike, so a sender that keeps to its outbox bound never overruns the other side's hold-back.
inline size_t cost_of(const wire::Envelope& envelope, size_t body_bytes) {
  size_t bytes = body_bytes + envelope.action.size() + envelope.text.size();
  for (const wire::Header& header : envelope.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

}  // namespace godwit::session

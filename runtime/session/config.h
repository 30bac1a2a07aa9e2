#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace godwit::session {

/// What becomes of an event for a session whose outbox is full.
enum class Overflow : uint8_t {
  kReject,      ///< its sender is told
  kDropOldest,  ///< it waits for room behind others, of which the oldest go; not where somebody hears its outcome
  kDisconnect,  ///< its sender is told, and the session ends
};

/// What keeps a session from being idle.
enum class Activity : uint8_t {
  kAnything,  ///< whatever is heard of the peer, heartbeats as well
  kMessages,  ///< messages, in either direction
};

/// Bounds and times of every session of a worker. Both sides use the same structure.
struct SessionConfig {
  size_t sessions_max = 10'000;       ///< over all workers; enforced exactly
  Duration greeting_timeout = 5s;     ///< handshake completed to Hello, Hello to Welcome
  Duration heartbeat_interval = 15s;  ///< told to the client, which pings
  uint32_t heartbeat_misses_max = 3;  ///< silence for so many intervals ends the connection
  size_t outbox_messages_max = 1000;  ///< sent by us and not yet acknowledged
  size_t outbox_bytes_max = 32 << 20;
  Overflow overflow = Overflow::kReject;
  size_t holdback_messages_max = 1000;  ///< arrived before one they must follow
  size_t holdback_bytes_max = 32 << 20;
  Duration ack_delay = 25ms;  ///< an acknowledgement waits at most so long
  uint32_t ack_every = 64;    ///< … or for so many messages
  /// What was sent and sees no acknowledgement at all for so long, times the retries, ends the connection: the session
  /// can then be resumed on another one.
  Duration ack_timeout = 30s;
  uint32_t ack_retries = 3;
  Duration resume_window = 60s;  ///< a session without a connection is kept for so long; 0: not at all
  Duration idle_timeout = 300s;  ///< a session that has a connection and is idle for so long ends; 0: never
  Activity activity = Activity::kAnything;
  Duration request_timeout = 30s;   ///< where the caller names none
  size_t body_bytes_max = 1 << 20;  ///< of one message
  /// Bodies that are arriving on own streams of one connection: sixteen of the largest by default.
  size_t arriving_bytes_max = 16 << 20;
};

}  // namespace godwit::session

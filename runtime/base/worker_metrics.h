#pragma once

#include <array>

#include "base/error.h"
#include "base/histogram.h"
#include "base/metrics.h"

namespace godwit {

/// Message kinds and size classes are small closed sets, so they are array indices and never label explosions.
inline constexpr size_t kMessageKinds = 4;  ///< command, event, query, response
inline constexpr size_t kSizeClasses = 5;   ///< tiny, small, medium, large, huge

/// Index of the class a body belongs to: < 1 KiB, < 64 KiB, < 1 MiB, < 100 MiB, larger.
constexpr size_t size_class_of(uint64_t body_bytes) {
  return body_bytes < 1024 ? 0 : body_bytes < 65536 ? 1 : body_bytes < 1048576 ? 2 : body_bytes < 104857600 ? 3 : 4;
}

template <size_t N>
using Counters = std::array<Counter, N>;

enum class DropReason : uint8_t { kQueueFull, kExpired, kOverload, kClosed, kForbidden, kLoop, kCancelled };
inline constexpr size_t kDropReasons = 7;

/// What became of an event for a session that was full.
enum class OverflowOutcome : uint8_t { kRejected, kDropped, kClosed };
inline constexpr size_t kOverflowOutcomes = 3;

/// Where a message failed: before its handler was entered, or by its handler's verdict.
enum class FailureStage : uint8_t { kRefused, kHandler };
inline constexpr size_t kFailureStages = 2;

enum class PromiseOutcome : uint8_t { kOk, kFailure, kTimeout, kCancelled, kRejected };
inline constexpr size_t kPromiseOutcomes = 5;

/// Everything that one worker counts; admin/ gives them their exported names and sums the workers.
struct WorkerMetrics {
  // quic
  Gauge connections_handshaking, connections_open, connections_draining;
  Counter connections_opened, connections_closed_local, connections_closed_peer, connections_closed_idle,
      connections_closed_error;
  Counter handshakes_resumed;  ///< of those opened: begun with a ticket instead of a certificate
  Counter connections_refused;
  Histogram handshake_seconds;
  Counter migrations;
  Counter packets_received, packets_sent, packets_lost, packet_bytes_received, packet_bytes_sent;
  Counter packets_dropped_small_initial, packets_dropped_unknown, packets_dropped_malformed;
  Counter retries_sent, version_negotiations_sent, stateless_resets_sent, tokens_rejected, alpn_mismatches;
  Gauge streams_open;
  // session
  Gauge sessions, sessions_parted;  ///< all, and those of them without a connection
  Counter resumes, resumes_expired, resumes_refused;
  Counter sessions_superseded;                   ///< ended because their client came in anew
  Counter sessions_restored, messages_restored;  ///< read from the store at the start
  Counter hellos_refused;
  std::array<Counters<kSizeClasses>, kMessageKinds> messages_received, messages_sent;
  Counters<kSizeClasses> message_bytes_received, message_bytes_sent;
  Counter acks_sent, acks_received, duplicates_dropped, messages_resent;
  Counters<kDropReasons> messages_dropped;
  std::array<Counters<kCodeCount + 1>, kFailureStages> message_failures;  ///< by index_of the code
  Counter heartbeat_timeouts;
  Gauge arriving_bytes;  ///< bodies on own streams that have room
  Counter bodies_held;   ///< … and those that had to wait for it
  Gauge promises;
  Counter promises_created;
  Counters<kPromiseOutcomes> promises_finished;
  Counter late_replies;
  Counter handlers_cancelled;  ///< told that their caller waits no longer
  Gauge bound_events;          ///< wait for the response that they come before or after
  Counter bound_events_expired;
  Gauge outbox_waiting;  ///< events for which a full session had no room yet
  Counters<kOverflowOutcomes> outbox_overflows;
  Counter sessions_idled;
  Gauge offline_messages, offline_bytes;
  Counter offline_kept, offline_delivered, offline_dropped, offline_expired;
  // dispatch: receive to reply, by message kind
  std::array<Histogram, kMessageKinds> message_seconds;
  Gauge dispatch_queue, dispatch_queue_bytes;
  Counter handler_not_found;
  // loop
  Counter loop_iterations;
  Histogram loop_lag_seconds;
  Counter loop_busy_ns;
  Counter misrouted_datagrams;
};

}  // namespace godwit

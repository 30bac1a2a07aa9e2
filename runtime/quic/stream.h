#pragma once

#include "quic/connection.h"
#include "quic/receive_buffer.h"
#include "quic/send_queue.h"

namespace godwit::quic {

/// Which streams go first when a connection writes.
enum class StreamRank : uint8_t { kControl, kSharedLane, kOther };

struct Stream {
  Stream(StreamId stream_id, StreamRank stream_rank, BlockPool& pool) : id(stream_id), rank(stream_rank), out(pool) {}

  const StreamId id;
  const StreamRank rank;
  SendQueue out;
  ReceiveBuffer in;

  bool fin_received = false;
  bool reset_told = false;     ///< StreamReset was recorded
  bool readable_told = false;  ///< StreamReadable is in the batch that is being recorded
  bool drained_told = false;
  bool over = false;         ///< ngtcp2 has closed it; what is unread may still be consumed
  bool closed_told = false;  ///< StreamClosed was recorded: it goes when that has been delivered

  // Links of SendSchedule.
  Stream* next = nullptr;
  Stream* previous = nullptr;
  bool scheduled = false;
  uint64_t turn_bytes = 0;
};

}  // namespace godwit::quic

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/block_pool.h"
#include "base/bytes.h"

namespace godwit::quic {

/// What a stream still has to deliver, as one byte sequence with three cursors: acked <= sent <= queued. Small writes
/// are copied into pooled blocks, large bodies are shared; either stays put until acknowledged, because ngtcp2 sends
/// lost bytes again from where they lie. The end of the stream counts as one thing more to send.
class SendQueue {
 public:
  explicit SendQueue(BlockPool& pool) : pool_(&pool) {}

  void append(Bytes bytes);
  void append_shared(std::shared_ptr<const std::vector<uint8_t>> body);
  void finish() { end_ = End::kQueued; }
  bool finished() const { return end_ != End::kOpen; }

  uint64_t unacked() const { return queued_ - acked_; }
  uint64_t unsent() const { return queued_ - sent_; }
  bool has_work() const { return sent_ < queued_ || end_ == End::kQueued; }

  /// The next unsent bytes in at most out.size() pieces and no more pieces than `bytes_wanted` needs; returns how many.
  size_t peek(std::span<Bytes> out, size_t bytes_wanted) const;
  /// True when those pieces reach the end of the stream, so that FIN goes with them.
  bool reaches_end(size_t peeked_bytes) const { return end_ == End::kQueued && sent_ + peeked_bytes == queued_; }

  void mark_sent(size_t bytes);
  void mark_end_sent() { end_ = End::kSent; }
  /// Everything before `offset` has arrived; frees what only waited for that.
  void mark_acked(uint64_t offset);

  /// Nothing more will be sent. What was sent stays readable for ngtcp2 until the queue goes.
  void abandon();

 private:
  enum class End : uint8_t { kOpen, kQueued, kSent, kAbandoned };

  struct Segment {
    const uint8_t* data = nullptr;
    size_t bytes = 0;
    Block block;                                       // owns data, or
    std::shared_ptr<const std::vector<uint8_t>> body;  // does
  };

  size_t tail_room() const;
  void pop_front();

  BlockPool* pool_;
  std::vector<Segment> segments_;  // segments_[head_] … hold [base_, queued_)
  size_t head_ = 0;
  size_t cursor_ = 0;         // segment that holds sent_
  uint64_t cursor_base_ = 0;  // offset of its first byte
  uint64_t base_ = 0;
  uint64_t acked_ = 0;
  uint64_t sent_ = 0;
  uint64_t queued_ = 0;
  End end_ = End::kOpen;
};

}  // namespace godwit::quic

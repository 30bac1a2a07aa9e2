#include "quic/send_queue.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace godwit::quic {

void SendQueue::append(Bytes bytes) {
  while (!bytes.empty()) {
    if (tail_room() == 0) {
      Segment segment;
      segment.block = pool_->take();
      segment.data = segment.block.get();
      segments_.push_back(std::move(segment));
    }
    Segment& tail = segments_.back();
    const size_t n = std::min(bytes.size(), tail_room());
    std::memcpy(tail.block.get() + tail.bytes, bytes.data(), n);
    tail.bytes += n;
    queued_ += n;
    bytes = bytes.subspan(n);
  }
}

void SendQueue::append_shared(std::shared_ptr<const std::vector<uint8_t>> body) {
  if (!body || body->empty()) return;
  Segment segment;
  segment.data = body->data();
  segment.bytes = body->size();
  segment.body = std::move(body);
  queued_ += segment.bytes;
  segments_.push_back(std::move(segment));
}

size_t SendQueue::tail_room() const {
  if (head_ == segments_.size()) return 0;
  const Segment& tail = segments_.back();
  return tail.block ? pool_->block_bytes() - tail.bytes : 0;
}

size_t SendQueue::peek(std::span<Bytes> out, size_t bytes_wanted) const {
  size_t count = 0;
  size_t skip = static_cast<size_t>(sent_ - cursor_base_);
  for (size_t i = cursor_; i < segments_.size() && count < out.size(); ++i) {
    const Bytes piece(segments_[i].data + skip, segments_[i].bytes - skip);
    skip = 0;
    if (piece.empty()) continue;
    out[count++] = piece;
    if (piece.size() >= bytes_wanted) break;
    bytes_wanted -= piece.size();
  }
  return count;
}

void SendQueue::mark_sent(size_t bytes) {
  GW_CHECK(bytes <= unsent());
  sent_ += bytes;
  while (cursor_ + 1 < segments_.size() && sent_ >= cursor_base_ + segments_[cursor_].bytes) {
    cursor_base_ += segments_[cursor_].bytes;
    ++cursor_;
  }
}

void SendQueue::mark_acked(uint64_t offset) {
  if (end_ == End::kAbandoned) return;
  acked_ = std::max(acked_, std::min(offset, sent_));
  while (head_ < segments_.size() && acked_ >= base_ + segments_[head_].bytes) pop_front();
}

void SendQueue::pop_front() {
  base_ += segments_[head_].bytes;
  segments_[head_] = Segment{};
  ++head_;
  if (cursor_ < head_) {
    cursor_ = head_;
    cursor_base_ = base_;
  }
  constexpr size_t kCompactAt = 32;
  if (head_ == segments_.size() || head_ >= kCompactAt) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(head_));
    cursor_ -= head_;
    head_ = 0;
  }
}

void SendQueue::abandon() {
  queued_ = acked_ = sent_;
  end_ = End::kAbandoned;
}

}  // namespace godwit::quic

#include "quic/receive_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace godwit::quic {

void ReceiveBuffer::append(Bytes bytes) {
  if (bytes.empty()) return;
  if (capacity_ - end_ < bytes.size()) make_room(bytes.size());
  std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

/// Moves what is there to the front when that alone makes room and moves no more than was consumed; else doubles.
void ReceiveBuffer::make_room(size_t bytes) {
  constexpr size_t kFirstBytes = 512;
  const size_t held = end_ - begin_;
  if (held <= begin_ && capacity_ - held >= bytes) {
    std::memmove(data_.get(), data_.get() + begin_, held);
  } else {
    capacity_ = std::max({kFirstBytes, held + bytes, capacity_ * 2});
    std::unique_ptr<uint8_t[]> larger(new uint8_t[capacity_]);
    if (held > 0) std::memcpy(larger.get(), data_.get() + begin_, held);
    data_ = std::move(larger);
  }
  begin_ = 0;
  end_ = held;
}

void ReceiveBuffer::consume(size_t bytes) {
  GW_CHECK(bytes <= end_ - begin_);
  begin_ += bytes;
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  if (capacity_ > kIdleBytesMax) {
    data_.reset();
    capacity_ = 0;
  }
}

size_t ReceiveBuffer::discard() {
  const size_t held = end_ - begin_;
  data_.reset();
  capacity_ = begin_ = end_ = 0;
  return held;
}

}  // namespace godwit::quic

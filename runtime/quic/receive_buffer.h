#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace godwit::quic {

/// What arrived on a stream in order and waits to be consumed, in one piece. It never grows past what flow control
/// allowed the peer to send. Empty, it holds at most kIdleBytesMax.
class ReceiveBuffer {
 public:
  static constexpr size_t kIdleBytesMax = 64 * 1024;

  void append(Bytes bytes);
  Bytes readable() const { return {data_.get() + begin_, end_ - begin_}; }
  void consume(size_t bytes);
  /// Drops everything; returns how much that was.
  size_t discard();

 private:
  void make_room(size_t bytes);

  std::unique_ptr<uint8_t[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace godwit::quic

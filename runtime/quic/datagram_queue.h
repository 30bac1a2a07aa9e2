#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ring.h"

namespace godwit::quic {

/// Unreliable datagrams that wait for a packet. Bounded: what waits long has lost its point.
class DatagramQueue {
 public:
  static constexpr size_t kDatagramsMax = 256;

  [[nodiscard]] bool push(Bytes payload) { return waiting_.push(std::vector<uint8_t>(payload.begin(), payload.end())); }
  bool empty() const { return waiting_.empty(); }
  Bytes front() { return waiting_.front(); }
  void pop() { waiting_.pop(); }
  void clear() { waiting_.clear(); }

 private:
  Ring<std::vector<uint8_t>> waiting_{kDatagramsMax};
};

}  // namespace godwit::quic

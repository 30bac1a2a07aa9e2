#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/worker_metrics.h"
#include "port/datagrams.h"

namespace godwit::quic {

/// Collects packets and hands them to the sender in runs of equal size, so that one system call takes up to 64 KiB.
/// What the sender does not take stays here and goes first next time: to ngtcp2 these packets are sent.
class Transmitter {
 public:
  /// Room for one full send and the largest packet after it.
  static constexpr size_t kBufferBytes = 2 * 65536;
  /// The kernel takes at most 64 segments and one datagram's worth of bytes per send.
  static constexpr size_t kRunPacketsMax = 64;
  static constexpr size_t kRunBytesMax = 65487;

  Transmitter(DatagramSender& sender, WorkerMetrics& metrics);

  /// Where the next packet may be written: at least kDatagramBytesMax bytes while `full()` is false.
  MutableBytes room() { return {buffer_.get() + used_, kBufferBytes - used_}; }
  /// As soon as another packet would have to go in a send of its own.
  bool full() const { return blocked_ || used_ >= kRunBytesMax || (!runs_.empty() && runs_.back().full()); }

  /// The first `bytes` of `room()` are a packet.
  void commit(size_t bytes, const NetworkPath& path, uint8_t ecn);

  /// Hands over what was collected; false when the sender blocked.
  bool send();

  bool blocked() const { return blocked_; }
  bool empty() const { return runs_.empty(); }

 private:
  struct Run {
    NetworkPath path;
    uint8_t ecn;
    size_t offset;
    size_t bytes;
    size_t segment_bytes;
    size_t packets;
    bool open;  ///< its last packet is as long as the others, so another may follow

    bool full() const { return packets == kRunPacketsMax || bytes + segment_bytes > kRunBytesMax; }
  };

  bool extends(const Run& run, size_t bytes, const NetworkPath& path, uint8_t ecn) const;

  DatagramSender& sender_;
  WorkerMetrics& metrics_;
  std::unique_ptr<uint8_t[]> buffer_;
  size_t used_ = 0;
  std::vector<Run> runs_;
  size_t sent_runs_ = 0;
  bool blocked_ = false;
};

}  // namespace godwit::quic

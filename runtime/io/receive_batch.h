#pragma once

#include <array>
#include <memory>
#include <optional>

#include "io/udp_control.h"
#include "port/datagrams.h"

namespace godwit::io {

/// The buffers of one socket for taking in many datagrams with one system call (recvmmsg), each buffer large enough for
/// what GRO joins. 1 MiB of address space; only what is used gets memory.
class ReceiveBatch {
 public:
  static constexpr size_t kMessages = 16;

  ReceiveBatch();

  /// Takes what is there, at most kMessages. 0: nothing.
  size_t receive(int socket);

  /// Message `index` of the last receive; nothing when it was empty or did not fit. `bound` is the address of the
  /// socket: its port, and its host where the kernel did not tell the destination.
  std::optional<ReceivedDatagrams> at(size_t index, const SocketAddress& bound) const;

 private:
  static constexpr size_t kBufferBytes = 64 * 1024;
  // A little further apart than a power of two: otherwise all buffers would begin in the same set of the CPU's cache.
  static constexpr size_t kStrideBytes = kBufferBytes + 3 * 64;

  void rearm(size_t index);

  std::unique_ptr<uint8_t[]> buffers_;
  std::array<struct mmsghdr, kMessages> messages_{};
  std::array<struct iovec, kMessages> slices_{};
  std::array<sockaddr_in6, kMessages> senders_{};
  std::array<ControlBuffer, kMessages> controls_{};
  size_t used_ = 0;
};

}  // namespace godwit::io

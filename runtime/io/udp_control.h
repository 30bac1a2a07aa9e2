#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "port/address.h"

namespace godwit::io {

/// Room for all control messages that travel with a datagram, in either direction.
struct alignas(8) ControlBuffer {
  static constexpr size_t kBytes = 192;
  char bytes[kBytes];
};

/// What the kernel says about received datagrams besides their bytes.
struct ReceivedControl {
  uint8_t ecn = 0;
  size_t segment_bytes = 0;  ///< 0: one datagram
  SocketAddress local;       ///< destination address without port; unspecified when the socket does not ask for it
};
ReceivedControl read_control(const msghdr& message);

/// What the kernel is to do with a datagram besides sending it.
struct OutgoingControl {
  const SocketAddress* source = nullptr;  ///< null: the kernel chooses
  uint8_t ecn = 0;
  uint16_t segment_bytes = 0;  ///< 0: the payload is one datagram
  bool to_v4 = true;           ///< the destination is IPv4 (mapped ones included)
};
/// Points the message's control data at `buffer`, or at nothing when the defaults will do.
void write_control(msghdr& message, ControlBuffer& buffer, const OutgoingControl& control);

}  // namespace godwit::io

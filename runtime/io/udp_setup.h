#pragma once

#include "base/result.h"
#include "io/file_descriptor.h"
#include "port/address.h"

namespace godwit::io {

struct UdpOptions {
  SocketAddress bind;       ///< port 0: any that is free
  bool dual_stack = true;   ///< a socket on [::] takes IPv4 as well, with mapped addresses
  bool reuse_port = false;  ///< several sockets share the address; see steer_by_connection_id
  /// Wanted kernel buffers; what was got is a question to the socket. 8 MiB hold some 30 ms of 2 Gbit/s.
  size_t receive_buffer_bytes = 8 << 20;
  size_t send_buffer_bytes = 8 << 20;
  bool segmentation = true;  ///< hand several datagrams to the kernel in one call (GSO); false: one by one
  bool coalescing = true;    ///< take several datagrams from the kernel in one buffer (GRO)
};

/// A bound, non-blocking UDP socket set up for QUIC: ECN bits and, on wildcard addresses, destination addresses come
/// with the datagrams; packets are never fragmented.
Result<FileDescriptor> open_udp(const UdpOptions& options);

/// The address a socket is bound to.
Result<SocketAddress> local_address_of(const FileDescriptor& socket);

/// The address from which this machine would send to `remote`, with port 0: what a client that did not bind one must
/// use as the local side of its path. Sends nothing.
Result<SocketAddress> local_address_towards(const SocketAddress& remote);

/// The kernel knows UDP segmentation. One that does not would take a batch for a single huge datagram.
bool kernel_segments(const FileDescriptor& socket);

/// How large a kernel buffer got (SO_RCVBUF or SO_SNDBUF), in bytes as they were asked for.
size_t kernel_buffer_bytes(const FileDescriptor& socket, int option);

}  // namespace godwit::io

#pragma once

#include "admin/descriptor.h"
#include "base/result.h"
#include "port/address.h"

namespace godwit::admin {

/// A TCP socket that listens, and where, with the real port.
struct ListenSocket {
  Descriptor descriptor;
  SocketAddress address;
};
Result<ListenSocket> open_listen_socket(const SocketAddress& address, int backlog);

}  // namespace godwit::admin

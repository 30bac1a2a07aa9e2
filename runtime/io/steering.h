#pragma once

#include <cstdint>

#include "base/result.h"

namespace godwit::io {

class FileDescriptor;

/// Lets the kernel give each datagram of a SO_REUSEPORT group to the worker that owns its connection: the socket that
/// was bound as number `cid[0] % workers`, where cid[0] is the first byte of the destination connection id (byte 6 of a
/// QUIC long header, byte 1 of a short one). All `workers` sockets must be bound first, in the order of their workers,
/// and be closed together, as the kernel fills gaps with the last. Set on one of them, it holds for the group. Classic
/// BPF: needs no privileges.
Status steer_by_connection_id(const FileDescriptor& socket, uint32_t workers);

}  // namespace godwit::io

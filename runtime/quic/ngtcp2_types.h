#pragma once

#include <ngtcp2/ngtcp2.h>

#include "port/datagrams.h"
#include "quic/cid.h"

namespace godwit::quic {

/// Our types as ngtcp2's, borrowed for a call. ngtcp2 takes addresses by pointer to non-const but never writes to them.
inline ngtcp2_addr to_ngtcp2(const SocketAddress& address) {
  return {const_cast<sockaddr*>(address.raw()), address.length()};
}

inline ngtcp2_path to_ngtcp2(const NetworkPath& path) {
  return {to_ngtcp2(path.local), to_ngtcp2(path.remote), nullptr};
}

inline NetworkPath from_ngtcp2(const ngtcp2_path& path) {
  return {SocketAddress::from(path.local.addr), SocketAddress::from(path.remote.addr)};
}

inline ngtcp2_cid to_ngtcp2(const Cid& cid) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, cid.bytes().data(), cid.bytes().size());
  return out;
}

inline Cid from_ngtcp2(const ngtcp2_cid& cid) { return Cid({cid.data, cid.datalen}); }

}  // namespace godwit::quic

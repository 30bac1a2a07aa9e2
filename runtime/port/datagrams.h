#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "port/address.h"

namespace godwit {

struct NetworkPath {
  SocketAddress local;
  SocketAddress remote;
  bool operator==(const NetworkPath&) const = default;
};

/// What one receive call brought: one datagram, or several of equal size in one buffer (GRO). The last may be shorter.
struct ReceivedDatagrams {
  NetworkPath path;
  uint8_t ecn = 0;           ///< the two ECN bits of the IP header
  Bytes payload;             ///< valid during the call only
  size_t segment_bytes = 0;  ///< length of each datagram but perhaps the last; > 0
};

/// What one send call takes: datagrams of equal size in one buffer (GSO); the last may be shorter.
struct OutgoingDatagrams {
  NetworkPath path;
  uint8_t ecn = 0;
  Bytes payload;             ///< borrowed for the call
  size_t segment_bytes = 0;  ///< > 0
};

enum class SendOutcome : uint8_t {
  kSent,     ///< handed to the system, or refused for good (unreachable, too long): as lost on the way either way
  kBlocked,  ///< nothing was taken; the sender will be told when to try again
};

class DatagramSender {
 public:
  virtual ~DatagramSender() = default;
  virtual SendOutcome send(const OutgoingDatagrams& datagrams) = 0;
};

}  // namespace godwit

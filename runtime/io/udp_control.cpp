#include "io/udp_control.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace godwit::io {
namespace {

constexpr uint8_t kEcnBits = 3;

template <typename T>
T data_of(cmsghdr* header) {
  T value{};
  const size_t present = header->cmsg_len - CMSG_LEN(0);
  std::memcpy(&value, CMSG_DATA(header), std::min(present, sizeof(T)));
  return value;
}

SocketAddress address_of(const in_pktinfo& info) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = info.ipi_addr;
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

// Link-local addresses mean nothing without their interface.
SocketAddress address_of(const in6_pktinfo& info) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = info.ipi6_addr;
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) address.sin6_scope_id = info.ipi6_ifindex;
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

void read_one(cmsghdr* header, ReceivedControl& out) {
  const auto is = [header](int level, int type) { return header->cmsg_level == level && header->cmsg_type == type; };
  if (is(IPPROTO_IP, IP_TOS))
    out.ecn = data_of<uint8_t>(header) & kEcnBits;
  else if (is(IPPROTO_IPV6, IPV6_TCLASS))
    out.ecn = data_of<int>(header) & kEcnBits;
  else if (is(IPPROTO_UDP, UDP_GRO))
    out.segment_bytes = static_cast<size_t>(data_of<int>(header));
  else if (is(IPPROTO_IP, IP_PKTINFO))
    out.local = address_of(data_of<in_pktinfo>(header));
  else if (is(IPPROTO_IPV6, IPV6_PKTINFO))
    out.local = address_of(data_of<in6_pktinfo>(header));
}

template <typename T>
void append(msghdr& message, int level, int type, const T& value) {
  auto* header = reinterpret_cast<cmsghdr*>(static_cast<char*>(message.msg_control) + message.msg_controllen);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof(T));
  std::memcpy(CMSG_DATA(header), &value, sizeof(T));
  message.msg_controllen += CMSG_SPACE(sizeof(T));
}

void append_source(msghdr& message, const SocketAddress& source) {
  if (source.family() == AF_INET) {
    in_pktinfo info{};
    info.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(source.raw())->sin_addr;
    return append(message, IPPROTO_IP, IP_PKTINFO, info);
  }
  const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(source.raw());
  in6_pktinfo info{};
  info.ipi6_addr = v6.sin6_addr;
  info.ipi6_ifindex = v6.sin6_scope_id;
  append(message, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

static_assert(ControlBuffer::kBytes >=
              CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int)));

}  // namespace

ReceivedControl read_control(const msghdr& message) {
  ReceivedControl out;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(const_cast<msghdr*>(&message), header)) {
    read_one(header, out);
  }
  return out;
}

void write_control(msghdr& message, ControlBuffer& buffer, const OutgoingControl& control) {
  message.msg_control = buffer.bytes;
  message.msg_controllen = 0;
  if (control.source) append_source(message, *control.source);
  if (control.ecn) {
    const int ecn = control.ecn;
    if (control.to_v4)
      append(message, IPPROTO_IP, IP_TOS, ecn);
    else
      append(message, IPPROTO_IPV6, IPV6_TCLASS, ecn);
  }
  if (control.segment_bytes) append(message, IPPROTO_UDP, UDP_SEGMENT, control.segment_bytes);
  if (message.msg_controllen == 0) message.msg_control = nullptr;
}

}  // namespace godwit::io

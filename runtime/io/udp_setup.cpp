#include "io/udp_setup.h"

#include <fmt/format.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "io/os_error.h"

namespace godwit::io {
namespace {

Status set(const FileDescriptor& socket, int level, int option, int value, std::string_view what) {
  if (setsockopt(socket.get(), level, option, &value, sizeof(value)) == 0) return {};
  return os_error(what, errno);
}

// Beyond net.core.rmem_max only a privileged process gets what it asks for; others get the maximum, which is no error.
void ask_for_buffer(const FileDescriptor& socket, int option, int forced_option, size_t wanted) {
  const int value = static_cast<int>(std::min<size_t>(wanted, std::numeric_limits<int>::max() / 2));
  setsockopt(socket.get(), SOL_SOCKET, option, &value, sizeof(value));
  if (kernel_buffer_bytes(socket, option) >= static_cast<size_t>(value)) return;
  setsockopt(socket.get(), SOL_SOCKET, forced_option, &value, sizeof(value));
}

// "Probe" sets the don't-fragment bit and ignores what the kernel believes about the path: an attacker's forged ICMP
// message could otherwise shrink it below QUIC's minimum. QUIC finds the path's MTU by itself.
Status set_v4(const FileDescriptor& socket, bool wildcard) {
  return set(socket, IPPROTO_IP, IP_RECVTOS, 1, "IP_RECVTOS")
      .and_then([&] { return set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER"); })
      .and_then([&] { return wildcard ? set(socket, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO") : Status{}; });
}

Status set_v6(const FileDescriptor& socket, bool wildcard, bool dual_stack) {
  return set(socket, IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack, "IPV6_V6ONLY")
      .and_then([&] { return set(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS"); })
      .and_then([&] { return set(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER"); })
      .and_then(
          [&] { return wildcard ? set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO") : Status{}; })
      .and_then([&] { return dual_stack ? set_v4(socket, false) : Status{}; });  // its IPv4 half; pktinfo comes as IPv6
}

Status configure(const FileDescriptor& socket, const UdpOptions& options) {
  const bool wildcard = options.bind.is_unspecified();
  const Status family =
      options.bind.family() == AF_INET6 ? set_v6(socket, wildcard, options.dual_stack) : set_v4(socket, wildcard);
  if (!family) return family;
  if (options.reuse_port) {
    if (Status reuse = set(socket, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"); !reuse) return reuse;
  }
  ask_for_buffer(socket, SO_RCVBUF, SO_RCVBUFFORCE, options.receive_buffer_bytes);
  ask_for_buffer(socket, SO_SNDBUF, SO_SNDBUFFORCE, options.send_buffer_bytes);
  const int coalesce = options.coalescing;
  setsockopt(socket.get(), IPPROTO_UDP, UDP_GRO, &coalesce,
             sizeof(coalesce));  // a kernel without it delivers one by one
  return {};
}

Result<FileDescriptor> make_socket(int family) {
  FileDescriptor socket(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!socket) return os_error("socket", errno);
  return socket;
}

}  // namespace

bool kernel_segments(const FileDescriptor& socket) {
  int segment_bytes = 0;
  socklen_t length = sizeof(segment_bytes);
  return getsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, &length) == 0;
}

size_t kernel_buffer_bytes(const FileDescriptor& socket, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  getsockopt(socket.get(), SOL_SOCKET, option, &value, &length);
  return static_cast<size_t>(value) / 2;  // the kernel reports twice the size, for its own overhead
}

Result<FileDescriptor> open_udp(const UdpOptions& options) {
  Result<FileDescriptor> socket = make_socket(options.bind.family());
  if (!socket) return socket;
  if (Status configured = configure(*socket, options); !configured) return tl::unexpected(configured.error());
  if (bind(socket->get(), options.bind.raw(), options.bind.length()) != 0) {
    return os_error(fmt::format("bind {}", options.bind.to_string()), errno);
  }
  return socket;
}

Result<SocketAddress> local_address_of(const FileDescriptor& socket) {
  sockaddr_in6 storage{};
  socklen_t length = sizeof(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(socket.get(), address, &length) != 0) return os_error("getsockname", errno);
  return SocketAddress::from(address);
}

Result<SocketAddress> local_address_towards(const SocketAddress& remote) {
  const Result<FileDescriptor> socket = make_socket(remote.family());
  if (!socket) return tl::unexpected(socket.error());
  if (connect(socket->get(), remote.raw(), remote.length()) != 0) {
    return os_error(fmt::format("no route to {}", remote.to_string()), errno);
  }
  Result<SocketAddress> local = local_address_of(*socket);
  if (local) local->set_port(0);
  return local;
}

}  // namespace godwit::io

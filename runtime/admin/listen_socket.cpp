#include "admin/listen_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace godwit::admin {

Result<ListenSocket> open_listen_socket(const SocketAddress& address, int backlog) {
  Descriptor descriptor(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof bound;
  // A restart must not wait for the connections of the last run to time out.
  if (!descriptor || setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(descriptor.get(), address.raw(), address.length()) != 0 || listen(descriptor.get(), backlog) != 0 ||
      getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&bound), &bound_size) != 0) {
    return fail(Code::kSocketFailed, fmt::format("{}: {}", address.to_string(), std::strerror(errno)));
  }
  return ListenSocket{std::move(descriptor), SocketAddress::from(reinterpret_cast<const sockaddr*>(&bound))};
}

}  // namespace godwit::admin

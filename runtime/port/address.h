#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit {

/// An IPv4 or IPv6 address with port, by value.
class SocketAddress {
 public:
  SocketAddress() : storage_{} {}
  static SocketAddress from(const sockaddr* address);

  /// "127.0.0.1:8453", "[::1]:8453", "localhost:8453" is refused: names are resolved outside the core.
  static Result<SocketAddress> parse(std::string_view text);

  const sockaddr* raw() const { return &storage_.any; }
  socklen_t length() const;
  int family() const { return storage_.any.sa_family; }
  uint16_t port() const;
  void set_port(uint16_t port);
  bool is_loopback() const;
  bool is_unspecified() const;

  /// Port and host in the notation that parse takes.
  std::string to_string() const;
  /// /24 of IPv4 or /56 of IPv6, for limits per network prefix.
  uint64_t prefix_hash() const;

  bool operator==(const SocketAddress& other) const;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

}  // namespace godwit

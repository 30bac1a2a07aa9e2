#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::io {

/// Which addresses requests of scripts may go to: public ones, and what the operator names. Everything else that the
/// registries of special addresses list (IANA's for IPv4 and IPv6) is refused: loopback, private, link-local with the
/// metadata services of clouds, shared, multicast, and the ways to write an IPv4 address as an IPv6 one.
class NetworkGuard {
 public:
  /// `exceptions`: "127.0.0.1/32", "10.1.0.0/16", "fd00::/8", or a single address.
  static Result<NetworkGuard> create(const std::vector<std::string>& exceptions);

  bool allows(const sockaddr* address) const;

 private:
  /// IPv4 as ::ffff:a.b.c.d, so that there is one kind.
  using Address = std::array<uint8_t, 16>;
  struct Network {
    Address address{};
    unsigned bits = 0;
    bool contains(const Address& one) const;
  };
  static Result<Network> parse(std::string_view text);

  std::vector<Network> exceptions_;
  Network global_;
  std::vector<Network> refused_;
};

}  // namespace godwit::io

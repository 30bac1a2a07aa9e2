#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/address.h"

namespace godwit::client {

/// A server as people write it: "localhost:8453", "10.0.0.7:8453", "[::1]:8453".
struct HostAndPort {
  std::string host;  ///< without brackets; also what the server's certificate must name
  uint16_t port = 0;

  /// AddressInvalid says what was expected. Looks nothing up.
  static Result<HostAndPort> parse(std::string_view text);
  /// As `parse` reads it.
  std::string to_string() const;
};

/// A server to connect to: where it may be reached, in order of preference, and whom its certificate must name.
struct Remote {
  std::vector<SocketAddress> addresses;
  std::string server_name;
};

}  // namespace godwit::client

#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/network_guard.h"

namespace godwit::io {

/// Where scripts may send requests: a name that is allowed, at an address that is. Both, because a name may lead
/// anywhere.
struct HttpPolicy {
  /// `hosts`: "api.example.com", "*.example.com" (what is below, not itself), or "*"; each may end in ":8443".
  /// Without a port those of http and https are meant. `private_networks`: see NetworkGuard.
  static Result<HttpPolicy> create(const std::vector<std::string>& hosts,
                                   const std::vector<std::string>& private_networks, size_t requests_max);

  /// `host` in lower case, as a URL has it.
  bool allows(std::string_view host, unsigned port) const;

  NetworkGuard guard;
  size_t requests_max = 0;  ///< under way at one time, of one unit

 private:
  struct Rule {
    std::string host;   ///< "" for any, ".example.com" for what is below
    unsigned port = 0;  ///< 0: 80 and 443
  };
  std::vector<Rule> rules_;
};

/// Of units that have one of their own, by their names.
using OwnHttpPolicies = std::map<std::string, HttpPolicy, std::less<>>;

}  // namespace godwit::io

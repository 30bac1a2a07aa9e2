#include "io/network_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace godwit::io {
namespace {

constexpr unsigned kMappedBits = 96;

constexpr std::string_view kRefused[] = {
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // shared by carriers
    "127.0.0.0/8",      // loopback
    "169.254.0.0/16",   // link-local; metadata of clouds
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments
    "192.0.2.0/24",     // documentation
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved; broadcast
    "2001::/23",        // protocol assignments, Teredo among them
    "2001:db8::/32",    // documentation
    "2002::/16",        // 6to4: an IPv4 address inside
    "3fff::/20",        // documentation
};

/// What is given out as unicast to the world; the rest of IPv6 is of no use here.
constexpr std::string_view kGlobalUnicast = "2000::/3";

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool NetworkGuard::Network::contains(const Address& one) const {
  const size_t whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), one.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits % 8));
  return (address[whole] & mask) == (one[whole] & mask);
}

Result<NetworkGuard::Network> NetworkGuard::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  unsigned bits_max = 128;
  if (inet_pton(AF_INET, host.c_str(), network.address.data() + sizeof(kMapped)) == 1) {
    std::copy(std::begin(kMapped), std::end(kMapped), network.address.begin());
    bits_max = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), network.address.data()) != 1) {
    return fail(Code::kAddressInvalid, std::string(text) + ": expected a network such as 10.0.0.0/8 or fd00::/8");
  }
  network.bits = bits_max;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.bits);
    if (error != std::errc() || end != digits.data() + digits.size() || network.bits > bits_max) {
      return fail(Code::kAddressInvalid, std::string(text) + ": the prefix must be 0 to " + std::to_string(bits_max));
    }
  }
  if (bits_max == 32) network.bits += kMappedBits;
  return network;
}

Result<NetworkGuard> NetworkGuard::create(const std::vector<std::string>& exceptions) {
  NetworkGuard guard;
  for (const std::string& text : exceptions) {
    auto network = parse(text);
    if (!network) return tl::unexpected(std::move(network.error()));
    guard.exceptions_.push_back(*network);
  }
  guard.global_ = *parse(kGlobalUnicast);
  for (const std::string_view text : kRefused) guard.refused_.push_back(*parse(text));
  return guard;
}

bool NetworkGuard::allows(const sockaddr* address) const {
  Address bytes{};
  if (address->sa_family == AF_INET) {
    std::copy(std::begin(kMapped), std::end(kMapped), bytes.begin());
    std::memcpy(bytes.data() + sizeof(kMapped), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
  } else {
    return false;
  }
  const auto holds = [&](const Network& network) { return network.contains(bytes); };
  if (std::ranges::any_of(exceptions_, holds)) return true;
  const bool mapped = std::equal(std::begin(kMapped), std::end(kMapped), bytes.begin());
  if (!mapped && !global_.contains(bytes)) return false;
  return std::ranges::none_of(refused_, holds);
}

}  // namespace godwit::io

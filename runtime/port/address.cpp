#include "port/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace godwit {
namespace {

constexpr size_t kTextBytesMax = 128;  // the longest address with scope and port has 60

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

tl::unexpected<Error> refuse(std::string_view text) {
  return fail(Code::kAddressInvalid, fmt::format("'{}' is not an address: expected 127.0.0.1:8453 or [::1]:8453",
                                                 escape_for_log(text, kTextBytesMax)));
}

struct HostAndPort {
  std::string host;
  uint16_t port = 0;
  bool bracketed = false;
};

std::optional<HostAndPort> split(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.size() > kTextBytesMax) return std::nullopt;
  const auto port = parse_number<uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port || host.empty()) return std::nullopt;
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  return HostAndPort{std::string(host), *port, bracketed};
}

std::optional<sockaddr_in> parse_v4(const HostAndPort& parts) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(parts.port);
  if (inet_pton(AF_INET, parts.host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  return address;
}

// "fe80::1%2": the scope is the interface's number, as names need the system's tables.
std::optional<sockaddr_in6> parse_v6(const HostAndPort& parts) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(parts.port);
  std::string host = parts.host;
  if (const size_t percent = host.find('%'); percent != std::string::npos) {
    const auto scope = parse_number<uint32_t>(std::string_view(host).substr(percent + 1));
    if (!scope) return std::nullopt;
    address.sin6_scope_id = *scope;
    host.resize(percent);
  }
  if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
  return address;
}

// The IPv4 address inside an IPv4-mapped one, in network order: dual sockets see IPv4 peers this way.
in_addr_t mapped_v4(const in6_addr& address) {
  in_addr_t v4 = 0;
  std::memcpy(&v4, address.s6_addr + 12, sizeof(v4));
  return v4;
}

bool is_loopback_v4(in_addr_t network_order) { return (ntohl(network_order) >> 24) == 127; }

// Spreads the bits, so that a table may take any of them as index; distinct inputs stay distinct.
constexpr uint64_t spread(uint64_t value) {
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93;
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93;
  return value ^ (value >> 32);
}

uint64_t v4_prefix_hash(in_addr_t network_order) {
  constexpr uint64_t kIsV4 = uint64_t{1} << 63;
  return spread(kIsV4 | ntohl(network_order) >> 8);
}

}  // namespace

SocketAddress SocketAddress::from(const sockaddr* address) {
  SocketAddress out;
  if (address->sa_family == AF_INET) std::memcpy(&out.storage_.v4, address, sizeof(sockaddr_in));
  if (address->sa_family == AF_INET6) std::memcpy(&out.storage_.v6, address, sizeof(sockaddr_in6));
  return out;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return refuse(text);
  if (parts->bracketed) {
    if (const auto v6 = parse_v6(*parts)) return from(reinterpret_cast<const sockaddr*>(&*v6));
  } else if (const auto v4 = parse_v4(*parts)) {
    return from(reinterpret_cast<const sockaddr*>(&*v4));
  }
  return refuse(text);
}

socklen_t SocketAddress::length() const {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : 0;
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(storage_.v6.sin6_port) : 0;
}

void SocketAddress::set_port(uint16_t port) {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) return is_loopback_v4(storage_.v4.sin_addr.s_addr);
  if (family() != AF_INET6) return false;
  const in6_addr& v6 = storage_.v6.sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && is_loopback_v4(mapped_v4(v6)));
}

bool SocketAddress::is_unspecified() const {
  if (family() == AF_INET) return storage_.v4.sin_addr.s_addr == INADDR_ANY;
  return family() != AF_INET6 || IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

std::string SocketAddress::to_string() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &storage_.v4.sin_addr, host, sizeof(host));
    return fmt::format("{}:{}", host, port());
  }
  if (family() != AF_INET6) return "unspecified";
  inet_ntop(AF_INET6, &storage_.v6.sin6_addr, host, sizeof(host));
  if (const uint32_t scope = storage_.v6.sin6_scope_id) return fmt::format("[{}%{}]:{}", host, scope, port());
  return fmt::format("[{}]:{}", host, port());
}

uint64_t SocketAddress::prefix_hash() const {
  if (family() == AF_INET) return v4_prefix_hash(storage_.v4.sin_addr.s_addr);
  if (family() != AF_INET6) return 0;
  const in6_addr& v6 = storage_.v6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v4_prefix_hash(mapped_v4(v6));
  constexpr size_t kPrefixBytes = 7;  // what one subscriber usually gets
  uint64_t prefix = 0;
  for (size_t i = 0; i < kPrefixBytes; ++i) prefix = prefix << 8 | v6.s6_addr[i];
  return spread(prefix);
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  if (family() != other.family() || port() != other.port()) return false;
  if (family() == AF_INET) return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
  if (family() != AF_INET6) return true;
  return IN6_ARE_ADDR_EQUAL(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr) &&
         storage_.v6.sin6_scope_id == other.storage_.v6.sin6_scope_id;
}

}  // namespace godwit

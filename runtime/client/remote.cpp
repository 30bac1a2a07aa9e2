#include "client/remote.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace godwit::client {
namespace {

constexpr size_t kTextBytesMax = 300;  // a host name has 253 at most
constexpr size_t kShownBytesMax = 64;

tl::unexpected<Error> refuse(std::string_view text) {
  return fail(Code::kAddressInvalid,
              fmt::format("'{}': expected HOST:PORT, IPv6 as [HOST]:PORT", escape_for_log(text, kShownBytesMax)));
}

}  // namespace

Result<HostAndPort> HostAndPort::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > kTextBytesMax) return refuse(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return refuse(text);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if ((host.find(':') != std::string_view::npos) != bracketed) return refuse(text);
  if (host.find_first_of("[]/ ") != std::string_view::npos) return refuse(text);
  return HostAndPort{std::string(host), port};
}

std::string HostAndPort::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace godwit::client

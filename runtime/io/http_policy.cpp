#include "io/http_policy.h"

#include <algorithm>
#include <charconv>

namespace godwit::io {
namespace {

bool is_host(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':' ||
           c == '[' || c == ']';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return out;
}

}  // namespace

Result<HttpPolicy> HttpPolicy::create(const std::vector<std::string>& hosts,
                                      const std::vector<std::string>& private_networks, size_t requests_max) {
  auto guard = NetworkGuard::create(private_networks);
  if (!guard) return tl::unexpected(std::move(guard.error()));
  HttpPolicy policy;
  policy.guard = std::move(*guard);
  policy.requests_max = requests_max;
  for (const std::string& text : hosts) {
    Rule rule{lower(text)};
    // The colons of an IPv6 address stand in brackets.
    const size_t colon = rule.host.rfind(':');
    if (colon != std::string::npos && rule.host.find(']', colon) == std::string::npos) {
      const std::string digits = rule.host.substr(colon + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rule.port);
      if (error != std::errc() || end != digits.data() + digits.size() || rule.port == 0 || rule.port > 65535) {
        return fail(Code::kAddressInvalid, text + ": the port must be 1 to 65535");
      }
      rule.host.resize(colon);
    }
    const bool any = rule.host == "*";
    if (any) rule.host.clear();
    if (rule.host.starts_with("*.")) rule.host.erase(0, 1);
    if (!any && !is_host(rule.host)) {
      return fail(Code::kAddressInvalid, text + ": expected a host such as api.example.com, *.example.com or *");
    }
    policy.rules_.push_back(std::move(rule));
  }
  return policy;
}

bool HttpPolicy::allows(std::string_view host, unsigned port) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    if (rule.port == 0 ? port != 80 && port != 443 : port != rule.port) return false;
    if (rule.host.empty() || host == rule.host) return true;
    return rule.host.starts_with('.') && host.size() > rule.host.size() && host.ends_with(rule.host);
  });
}

}  // namespace godwit::io

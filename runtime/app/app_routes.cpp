#include "app/app_routes.h"

#include <fmt/format.h>

namespace godwit::app {
namespace {

std::string describe(const routing::Route& route, std::span<const RoutedApp> apps) {
  const RoutedApp& routed = apps[route.target.unit];
  const host::Registration& registration = routed.app->registrations()[route.target.handler];
  if (registration.where.empty()) return fmt::format("'{}' of {}", registration.pattern, routed.name);
  return fmt::format("'{}' at {}/{}", registration.pattern, routed.name, registration.where);
}

std::string describe(const routing::Shadow& shadow, std::span<const RoutedApp> apps) {
  return fmt::format("{} is never reached: {} takes its messages", describe(*shadow.hidden, apps),
                     describe(*shadow.by, apps));
}

}  // namespace

Result<std::unique_ptr<routing::RouteTable>> route_apps(std::span<const RoutedApp> apps) {
  std::vector<routing::Route> routes;
  for (uint32_t unit = 0; unit < apps.size(); ++unit) {
    if (!apps[unit].app) continue;
    const auto& registrations = apps[unit].app->registrations();
    for (uint32_t handler = 0; handler < registrations.size(); ++handler) {
      auto pattern = routing::Pattern::parse(registrations[handler].pattern);
      if (!pattern) return tl::unexpected(std::move(pattern.error()));
      routes.push_back({std::move(*pattern), {unit, handler}, registrations[handler].priority});
    }
  }
  return std::make_unique<routing::RouteTable>(std::move(routes));
}

std::vector<std::string> never_reached(const routing::RouteTable& table, std::span<const RoutedApp> apps,
                                       std::optional<uint32_t> unit) {
  std::vector<std::string> sentences;
  for (const routing::Shadow& shadow : table.shadowed()) {
    const bool concerned = !unit || shadow.hidden->target.unit == *unit || shadow.by->target.unit == *unit;
    if (concerned) sentences.push_back(describe(shadow, apps));
  }
  return sentences;
}

}  // namespace godwit::app

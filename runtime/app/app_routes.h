#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/app.h"
#include "routing/route_table.h"

namespace godwit::app {

/// An app whose registrations take part in routing; its place in a list is its unit in the table.
struct RoutedApp {
  std::string_view name;
  const host::App* app = nullptr;  ///< null: none of that name is live, the place is kept
};

/// What all apps bind, in one table. PatternInvalid when a registration cannot be read.
Result<std::unique_ptr<routing::RouteTable>> route_apps(std::span<const RoutedApp> apps);

/// One sentence for each registration that no message ever reaches, with app and place, because others take everything
/// it is bound to. `unit` narrows that to those in which this app has a part.
std::vector<std::string> never_reached(const routing::RouteTable& table, std::span<const RoutedApp> apps,
                                       std::optional<uint32_t> unit = std::nullopt);

}  // namespace godwit::app

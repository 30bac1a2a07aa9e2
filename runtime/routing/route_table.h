#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/pattern.h"

namespace godwit::routing {

/// Where a message goes: which unit (an app or plugin, by the table's index) and which of its registrations.
struct Target {
  uint32_t unit = 0;
  uint32_t handler = 0;
  bool operator==(const Target&) const = default;
};

struct Route {
  Pattern pattern;
  Target target;
  int priority = 100;  ///< of the unit; lower goes first among equally specific patterns
};

/// A route that no message ever takes, and (one of) those that take all that it matches.
struct Shadow {
  const Route* by;
  const Route* hidden;
};

/// Finds the target of a message: the most specific pattern wins, then the lower priority number, then the earlier
/// registration. What is not an action (check_action) has no target, whatever the wildcards. Immutable; a reload builds
/// a new one and swaps it between two messages. Looks up exact actions in one hash probe and remembers answers for
/// others in a bounded cache (peers choose actions, so the cache never grows past its bound).
class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);
  ~RouteTable();

  const Target* find(wire::Kind kind, std::string_view action);

  std::span<const Route> routes() const { return routes_; }

  /// For warnings at load; valid as long as the table.
  std::vector<Shadow> shadowed() const;

 private:
  struct Index;
  std::vector<Route> routes_;
  std::unique_ptr<Index> index_;
};

}  // namespace godwit::routing

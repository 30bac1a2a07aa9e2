#include "routing/route_table.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace godwit::routing {

namespace {

constexpr size_t kKinds = 4;

/// Remembers for actions that no exact pattern names which route they take. Each action has one place, where it pushes
/// out whoever had it: so whatever peers ask for, it costs one probe and never more memory than its places.
class AnswerCache {
 public:
  /// What is remembered, which may be that there is none; nullopt when nothing is.
  std::optional<const Route*> find(size_t hash, wire::Kind kind, std::string_view action) const {
    const Place& place = places_[hash % kPlaces];
    if (place.kind != kind || place.action != action) return std::nullopt;
    return place.route;
  }

  void put(size_t hash, wire::Kind kind, std::string_view action, const Route* route) {
    if (action.size() > kActionBytesMax) return;
    Place& place = places_[hash % kPlaces];
    place.kind = kind;
    place.route = route;
    place.action.assign(action);
  }

 private:
  static constexpr size_t kPlaces = 1024;  // at most 330 KiB in all
  struct Place {
    std::optional<wire::Kind> kind;  ///< of the message it was asked for; none while the place is free
    const Route* route = nullptr;
    std::string action;
  };
  std::vector<Place> places_ = std::vector<Place>(kPlaces);
};

bool goes_first(const Route* a, const Route* b) {
  const int specificity = a->pattern.compare_specificity(b->pattern);
  return specificity != 0 ? specificity < 0 : a->priority < b->priority;
}

}  // namespace

struct RouteTable::Index {
  tsl::robin_map<std::string_view, std::array<const Route*, kKinds>> exact;
  std::vector<const Route*> wildcards;  ///< in the order of precedence
  AnswerCache answers;

  void add(const Route& route) {
    if (!route.pattern.is_exact()) {
      wildcards.push_back(&route);
      return;
    }
    std::array<const Route*, kKinds>& kinds = exact[route.pattern.action()];
    for (size_t kind = 0; kind < kKinds; ++kind) {
      const bool fits = route.pattern.kind().value_or(wire::Kind(kind)) == wire::Kind(kind);
      if (fits && !kinds[kind]) kinds[kind] = &route;
    }
  }

  const Route* find(wire::Kind kind, std::string_view action) {
    const size_t hash = std::hash<std::string_view>{}(action);
    if (const auto found = exact.find(action, hash); found != exact.end()) {
      if (const Route* route = found->second[static_cast<size_t>(kind)]) return route;
    }
    if (wildcards.empty()) return nullptr;
    if (const auto known = answers.find(hash, kind, action)) return *known;
    const Route* route = match(kind, action);
    answers.put(hash, kind, action, route);
    return route;
  }

  const Route* match(wire::Kind kind, std::string_view action) const {
    const auto matches = [&](const Route* route) { return route->pattern.matches(kind, action); };
    const auto found = std::find_if(wildcards.begin(), wildcards.end(), matches);
    return found == wildcards.end() ? nullptr : *found;
  }
};

namespace {

std::vector<const Route*> in_precedence(std::span<const Route> routes) {
  std::vector<const Route*> order;
  for (const Route& route : routes) order.push_back(&route);
  std::stable_sort(order.begin(), order.end(), goes_first);
  return order;
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)), index_(std::make_unique<Index>()) {
  for (const Route* route : in_precedence(routes_)) index_->add(*route);
}

RouteTable::~RouteTable() = default;

const Target* RouteTable::find(wire::Kind kind, std::string_view action) {
  const Route* route = index_->find(kind, action);
  return route ? &route->target : nullptr;
}

std::vector<std::pair<std::string, std::string>> RouteTable::shadowed() const {
  // A pattern that matches all that another does is never more specific than it, so only equals can take everything.
  std::map<std::pair<std::string_view, std::optional<wire::Kind>>, const Route*> first;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Route* route : in_precedence(routes_)) {
    const auto [at, is_new] = first.try_emplace({route->pattern.action(), route->pattern.kind()}, route);
    if (!is_new) pairs.emplace_back(at->second->pattern.text(), route->pattern.text());
  }
  return pairs;
}

}  // namespace godwit::routing

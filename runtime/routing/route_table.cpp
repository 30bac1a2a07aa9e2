#include "routing/route_table.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace godwit::routing {

namespace {

constexpr size_t kKinds = 4;
constexpr wire::Kind kBindableKinds[] = {wire::Kind::kCommand, wire::Kind::kEvent, wire::Kind::kQuery};

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

  /// Patterns were checked when they were read, so whatever equals an exact one is an action; only here may it be none.
  const Route* match(wire::Kind kind, std::string_view action) const {
    if (!check_action(action)) return nullptr;
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

std::vector<Shadow> RouteTable::shadowed() const {
  // A pattern that matches all that another does is never more specific than it, so only those of the same action can
  // take everything: one of the same kind, or one for each kind.
  std::map<std::string_view, std::array<const Route*, kKinds>> first_of;
  std::vector<Shadow> shadows;
  for (const Route* route : in_precedence(routes_)) {
    std::array<const Route*, kKinds>& firsts = first_of[route->pattern.action()];
    const Route* taken_by = nullptr;
    bool takes_some = false;
    for (const wire::Kind kind : kBindableKinds) {
      if (route->pattern.kind().value_or(kind) != kind) continue;
      const Route*& first = firsts[static_cast<size_t>(kind)];
      if (first && !taken_by) taken_by = first;
      takes_some |= !first;
      if (!first) first = route;
    }
    if (!takes_some) shadows.push_back({taken_by, route});
  }
  return shadows;
}

}  // namespace godwit::routing

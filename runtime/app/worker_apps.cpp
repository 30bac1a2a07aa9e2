#include "app/worker_apps.h"

#include <algorithm>

namespace godwit::app {

WorkerApps::WorkerApps(host::AppWorld world)
    : world_(std::move(world)), routes_(std::make_unique<routing::RouteTable>(std::vector<routing::Route>{})) {}

WorkerApps::~WorkerApps() = default;

Result<std::vector<host::Registration>> WorkerApps::prepare(const host::UnitSource& source, uint32_t generation,
                                                            const host::AppLimits& limits) {
  const uint32_t unit = unit_of(source.name());
  auto app = source.build(generation, limits, world_);
  if (!app) return tl::unexpected(std::move(app.error()));
  auto routes = route_apps(apps_with(unit, app->get()));
  if (!routes) return tl::unexpected(std::move(routes.error()));
  std::vector<host::Registration> manifest = (*app)->registrations();
  prepared_ = Prepared{unit, std::move(*app), std::move(*routes), limits.memory_bytes_max, limits.handler_timeout};
  return manifest;
}

void WorkerApps::commit() {
  if (!prepared_) return;
  Prepared prepared = std::move(*prepared_);
  prepared_.reset();
  units_[prepared.unit].memory_bytes_max = prepared.memory_bytes_max;
  units_[prepared.unit].drain_timeout = prepared.drain_timeout;
  replace(prepared.unit, std::move(prepared.app), std::move(prepared.routes));
  warn_of_unreached(prepared.unit);
}

void WorkerApps::remove(const std::string& name) {
  const uint32_t unit = unit_of(name);
  // Fewer routes than there were: they were valid together, so they still are.
  if (auto routes = route_apps(apps_with(unit, nullptr))) replace(unit, nullptr, std::move(*routes));
}

void WorkerApps::replace(uint32_t index, std::unique_ptr<host::App> app, std::unique_ptr<routing::RouteTable> routes) {
  Unit& unit = units_[index];
  if (unit.app) {
    const host::AppStats stats = unit.app->stats();
    unit.retired.handled += stats.handled;
    unit.retired.errors += stats.errors;
    unit.retired.timeouts += stats.timeouts;
    unit.app->retire();
    retired_.push_back({std::move(unit.app), world_.clock.now() + unit.drain_timeout});
  }
  unit.app = std::move(app);
  if (unit.app) unit.app->start();
  routes_ = std::move(routes);
  routers_.clear();
  for (const Unit& one : units_) {
    if (host::Router* router = one.app ? one.app->router() : nullptr) routers_.push_back(router);
  }
  ++version_;
  publish();
}

const routing::Target* WorkerApps::find(wire::Kind kind, std::string_view action) {
  for (host::Router* router : routers_) action = router->reroute(kind, action);
  return routes_->find(kind, action);
}

host::Handler* WorkerApps::handler(uint32_t unit) { return unit < units_.size() ? units_[unit].app.get() : nullptr; }

bool WorkerApps::run_ready(host::ReplySink& sink) {
  bool left = false;
  const auto run = [&](host::App& app) { left |= app.run_ready(sink); };
  for (const Unit& unit : units_) {
    if (unit.app) run(*unit.app);
  }
  const Timestamp now = world_.clock.now();
  for (Retired& retired : retired_) {
    if (retired.until <= now) {
      world_.log.warn("a generation that was replaced is ended with work unfinished",
                      {{"app", retired.app->name()}, {"unfinished", retired.app->pins()}});
      retired.app->cancel(Code::kScriptRetired, sink);
      retired.until = kNever;
    }
    run(*retired.app);
  }
  return left;
}

void WorkerApps::reap() {
  std::erase_if(retired_, [](const Retired& retired) { return retired.app->pins() == 0; });
}

uint32_t WorkerApps::unit_of(const std::string& name) {
  const auto found = std::find_if(units_.begin(), units_.end(), [&](const Unit& unit) { return unit.name == name; });
  if (found != units_.end()) return static_cast<uint32_t>(found - units_.begin());
  units_.push_back({.name = name});
  return static_cast<uint32_t>(units_.size() - 1);
}

std::vector<RoutedApp> WorkerApps::apps_with(uint32_t changed, const host::App* app) const {
  std::vector<RoutedApp> apps;
  for (uint32_t unit = 0; unit < units_.size(); ++unit) {
    apps.push_back({units_[unit].name, unit == changed ? app : units_[unit].app.get()});
  }
  return apps;
}

/// All workers run the same apps: one of them says it.
void WorkerApps::warn_of_unreached(uint32_t unit) const {
  if (world_.worker_index != 0) return;
  const auto apps = apps_with(unit, units_[unit].app.get());
  for (const std::string& sentence : never_reached(*routes_, apps, unit)) {
    world_.log.warn("a handler is never reached", {{"handler", sentence}});
  }
}

void WorkerApps::publish() {
  std::vector<admin::AppView> views;
  for (const Unit& unit : units_) {
    if (!unit.app) continue;
    const host::AppStats stats = unit.app->stats();
    views.push_back({
        .name = unit.name,
        .worker = world_.worker_index,
        .generation = unit.app->generation(),
        .memory_bytes = stats.memory_bytes,
        .memory_bytes_max = unit.memory_bytes_max,
        .handled = unit.retired.handled + stats.handled,
        .errors = unit.retired.errors + stats.errors,
        .timeouts = unit.retired.timeouts + stats.timeouts,
    });
  }
  const std::lock_guard lock(views_mutex_);
  views_ = std::move(views);
}

std::vector<admin::AppView> WorkerApps::views() const {
  const std::lock_guard lock(views_mutex_);
  return views_;
}

}  // namespace godwit::app

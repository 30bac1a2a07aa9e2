#include "app/worker_apps.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/purpose.h"

namespace godwit::app {

WorkerApps::WorkerApps(host::AppWorld world, std::optional<host::UnitSource::Kind> authenticating, UnitStore* store)
    : world_(std::move(world)),
      authenticating_(authenticating),
      store_(store),
      routes_(std::make_unique<routing::RouteTable>(std::vector<routing::Route>{})),
      retired_(world_.log) {}

WorkerApps::~WorkerApps() {
  if (store_) store_->set_live(nullptr);
}

Result<host::Manifest> WorkerApps::prepare(const host::ReloadPlan& plan, const host::AppLimits& limits) {
  const uint32_t unit = unit_of(plan.unit);
  auto app = plan.source->build(plan.generation, limits, world_);
  if (!app) return tl::unexpected(std::move(app.error()));
  if (Status tested = (*app)->selftest(); !tested) return tl::unexpected(std::move(tested.error()));
  if (auto routes = route_apps(apps_with(unit, app->get())); !routes) return tl::unexpected(std::move(routes.error()));
  const host::App* live = units_[unit].app.get();
  if (live && host::does_something(*live) && !host::does_something(**app)) {
    return fail(Code::kScriptLoadFailed,
                fmt::format("{}/main.lua: binds nothing, and the version that is live does; is it written to its end? "
                            "To end an app, disable it or remove its folder",
                            plan.unit));
  }
  host::Manifest manifest{(*app)->registrations(), live && live->has_state()};
  prepared_ = Prepared{unit, std::move(*app), limits, plan.source->kind()};
  return manifest;
}

void WorkerApps::migrate(std::function<void(Status)> done) {
  migration_ = Migration{prepared_->unit, std::move(done)};
  go_on_migrating();
}

void WorkerApps::go_on_migrating() {
  if (!migration_ || !migration_->done) return;
  host::App* live = units_[migration_->unit].app.get();
  if (live && live->pins() > 0) return;
  const auto done = std::exchange(migration_->done, {});
  done(live && live->has_state() ? hand_over_state(*live, *prepared_->app) : Status());
}

Status WorkerApps::hand_over_state(host::App& from, host::App& to) const {
  const auto state = from.export_state();
  if (!state) return tl::unexpected(state.error());
  if (state->size() > host::kStateBytesMax) {
    return fail(Code::kScriptLoadFailed, fmt::format("{}: exports {} bytes of state, more than the {} allowed",
                                                     from.name(), state->size(), host::kStateBytesMax));
  }
  return to.import_state(*state);
}

host::AppStats WorkerApps::commit(const host::ReloadPlan& plan) {
  const uint32_t index = unit_of(plan.unit);
  Unit& unit = units_[index];
  const host::AppStats replaced = unit.app ? unit.app->stats() : host::AppStats();
  switch (plan.change) {
    case host::ReloadPlan::Change::kLoad: take_over(unit, plan.replaced); break;
    case host::ReloadPlan::Change::kRollback: roll_back(unit); break;
    case host::ReloadPlan::Change::kStop: stop(unit); break;
  }
  // Each of these patterns was looked at when its generation was built.
  if (auto routes = route_apps(apps_with(index, unit.app.get()))) routes_ = std::move(*routes);
  collect_deciders();
  collect_codecs();
  collect_strategies();
  connect_store();
  end_migration();
  ++version_;
  publish();
  warn_of_unreached(index);
  return replaced;
}

void WorkerApps::take_over(Unit& unit, host::ReloadPlan::Replaced replaced) {
  Prepared prepared = std::move(*prepared_);
  prepared_.reset();
  // A generation that had not proved itself goes; the one that is ready since before it stays ready.
  if (replaced == host::ReloadPlan::Replaced::kKeptReady && unit.app && !unit.ready) {
    unit.app->retire();
    unit.ready = std::move(unit.app);
  } else {
    retire(unit, std::move(unit.app));
  }
  if (replaced == host::ReloadPlan::Replaced::kDrained) retire(unit, std::move(unit.ready));
  unit.app = std::move(prepared.app);
  unit.limits = prepared.limits;
  unit.kind = prepared.kind;
  warn_of_authenticator(unit);
  unit.app->start();
}

void WorkerApps::roll_back(Unit& unit) {
  retire(unit, std::move(unit.app));
  unit.app = std::move(unit.ready);
  if (unit.app) unit.app->start();
}

void WorkerApps::stop(Unit& unit) {
  retire(unit, std::move(unit.app));
  retire(unit, std::move(unit.ready));
}

void WorkerApps::retire(Unit& unit, std::unique_ptr<host::App> app) {
  if (!app) return;
  retired_.add(static_cast<uint32_t>(&unit - units_.data()), std::move(app),
               world_.clock.now() + unit.limits.drain_timeout);
}

void WorkerApps::abort() {
  prepared_.reset();
  end_migration();
}

/// What came up meanwhile goes to the generation that is live now.
void WorkerApps::end_migration() {
  if (!migration_) return;
  const Migration migration = std::move(*migration_);
  migration_.reset();
  for (const host::SessionEvent& event : migration.events) tell_unit(units_[migration.unit], event);
}

void WorkerApps::settle(const std::string& name) {
  Unit& unit = units_[unit_of(name)];
  retire(unit, std::move(unit.ready));
}

void WorkerApps::collect_deciders() {
  routers_.clear();
  authorizers_.clear();
  heard_ = {};
  std::vector<UnitAuthenticator::Unit> authenticators;
  for (uint32_t index = 0; index < units_.size(); ++index) {
    const Unit& unit = units_[index];
    if (!unit.app) continue;
    if (host::Router* router = unit.app->router()) routers_.push_back(router);
    if (host::Authorizer* authorizer = unit.app->authorizer()) authorizers_.push_back(authorizer);
    session::Authenticator* authenticator = unit.app->authenticator();
    if (authenticator && unit.kind == authenticating_) authenticators.push_back({index, authenticator});
    const host::SessionListener* listener = unit.app->session_listener();
    for (size_t what = 0; listener && what < heard_.size(); ++what)
      heard_[what] |= listener->hears(static_cast<host::SessionEvent::What>(what));
  }
  authenticator_.set_units(std::move(authenticators));
}

/// Of several for one content-type the first that was loaded translates.
void WorkerApps::collect_codecs() {
  codecs_.clear();
  for (const Unit& unit : units_) {
    host::Codec* codec = unit.app ? unit.app->codec() : nullptr;
    if (!codec) continue;
    if (!this->codec(codec->content_type())) {
      codecs_.push_back(codec);
    } else if (world_.worker_index == 0) {
      world_.log.warn("translates what another plugin translates, and is not asked",
                      {{"app", unit.app->name()}, {"content_type", codec->content_type()}});
    }
  }
}

host::Codec* WorkerApps::codec(std::string_view content_type) {
  const auto found = std::find_if(codecs_.begin(), codecs_.end(),
                                  [&](const host::Codec* one) { return one->content_type() == content_type; });
  return found == codecs_.end() ? nullptr : *found;
}

void WorkerApps::connect_store() {
  if (!store_) return;
  host::App* keeper = find_app(store_->unit());
  store_->set_live(keeper ? keeper->store() : nullptr);
}

/// Those that plan as before are not asked again.
void WorkerApps::collect_strategies() {
  std::vector<transfer::Strategy*> strategies;
  std::vector<std::string> names;
  for (const Unit& unit : units_) {
    transfer::Strategy* strategy = unit.app ? unit.app->strategy() : nullptr;
    if (!strategy) continue;
    strategies.push_back(strategy);
    names.emplace_back(unit.app->name());
  }
  if (names == strategies_) return;
  strategies_ = std::move(names);
  planner_.set_strategies(strategies);
}

void WorkerApps::warn_of_authenticator(const Unit& unit) const {
  if (world_.worker_index != 0 || !unit.app->authenticator() || unit.kind == authenticating_) return;
  world_.log.warn("decides who may come in, and is not asked: auth.mode says who is", {{"app", unit.app->name()}});
}

void WorkerApps::on_session(const host::SessionEvent& event) {
  for (uint32_t index = 0; index < units_.size(); ++index) {
    if (resting() == index) {
      if (migration_->events.size() < units_[index].limits.events_max) migration_->events.push_back(event);
    } else {
      tell_unit(units_[index], event);
    }
  }
}

void WorkerApps::tell_unit(Unit& unit, const host::SessionEvent& event) {
  host::SessionListener* listener = unit.app ? unit.app->session_listener() : nullptr;
  if (listener && listener->hears(event.what)) listener->on_session(event);
}

/// All of them must allow it. Each refusal is in the log, with who it was; a flood of the same one is counted.
std::vector<bool> WorkerApps::authorize(uint32_t unit, std::span<const host::Delivery> batch, host::ReplySink& sink) {
  std::vector<bool> allowed(batch.size(), true);
  if (unit >= units_.size() || !units_[unit].app) return allowed;
  const host::Authorizer::Destination destination{units_[unit].name, units_[unit].app->registrations()};
  std::vector<std::string> refusals(batch.size());
  for (host::Authorizer* authorizer : authorizers_) authorizer->authorize(batch, destination, sink, refusals);
  for (size_t i = 0; i < batch.size(); ++i) {
    if (refusals[i].empty()) continue;
    allowed[i] = false;
    note_forbidden(batch[i], destination.app, refusals[i]);
  }
  return allowed;
}

void WorkerApps::note_forbidden(const host::Delivery& delivery, std::string_view app, std::string_view reason) {
  const host::SessionView nobody;
  const host::SessionView& session = delivery.session ? *delivery.session : nobody;
  const auto held_back = forbidden_logged_.pass(fmt::format("{} {}", session.id, delivery.action), world_.clock.now());
  if (!held_back) return;
  world_.log.named("audit").info("message forbidden", {{"client", session.client_id},
                                                       {"uid", session.uid},
                                                       {"address", session.address},
                                                       {"kind", wire::name_of(delivery.kind)},
                                                       {"action", delivery.action},
                                                       {"app", app},
                                                       {"reason", reason},
                                                       {"held_back", *held_back}});
}

const routing::Target* WorkerApps::find(wire::Kind kind, std::string_view action) {
  for (host::Router* router : routers_) action = router->reroute(kind, action);
  return routes_->find(kind, action);
}

host::Handler* WorkerApps::handler(uint32_t unit) { return unit < units_.size() ? units_[unit].app.get() : nullptr; }

void WorkerApps::note_handled(uint32_t unit, Duration took, size_t messages) {
  units_[unit].handler_seconds->record(took / static_cast<int64_t>(messages), messages);
}

std::optional<uint32_t> WorkerApps::resting() const {
  return migration_ ? std::optional(migration_->unit) : std::nullopt;
}

bool WorkerApps::run_ready(host::ReplySink& sink) {
  bool left = desk_ && desk_->run(*this, sink);
  for (const Unit& unit : units_) {
    if (unit.app) left |= unit.app->run_ready(sink);
    if (unit.ready) left |= unit.ready->run_ready(sink);
  }
  left |= retired_.run_ready(sink, world_.clock.now());
  go_on_migrating();
  return left;
}

/// Whichever generation has it.
void WorkerApps::withdraw(uint32_t index, host::Ticket ticket, host::ReplySink& sink) {
  if (index >= units_.size()) return;
  const Unit& unit = units_[index];
  if (unit.app) unit.app->withdraw(ticket, sink);
  if (unit.ready) unit.ready->withdraw(ticket, sink);
  retired_.withdraw(index, ticket, sink);
}

void WorkerApps::reap() {
  for (const RetiredApps::Ended& ended : retired_.reap()) units_[ended.unit].ended += ended.stats;
}

uint32_t WorkerApps::unit_of(const std::string& name) {
  if (const Unit* found = find_unit(name)) return static_cast<uint32_t>(found - units_.data());
  units_.push_back({.name = name});
  return static_cast<uint32_t>(units_.size() - 1);
}

const WorkerApps::Unit* WorkerApps::find_unit(const std::string& name) const {
  const auto found = std::find_if(units_.begin(), units_.end(), [&](const Unit& unit) { return unit.name == name; });
  return found == units_.end() ? nullptr : &*found;
}

host::App* WorkerApps::find_app(const std::string& name) {
  const Unit* unit = find_unit(name);
  return unit ? unit->app.get() : nullptr;
}

std::optional<host::AppStats> WorkerApps::stats_of(const std::string& name, uint32_t generation) const {
  const Unit* unit = find_unit(name);
  if (!unit || !unit->app || unit->app->generation() != generation) return std::nullopt;
  return unit->app->stats();
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

size_t WorkerApps::generations() const {
  size_t count = retired_.size() + (prepared_ ? 1 : 0);
  for (const Unit& unit : units_) count += (unit.app ? 1 : 0) + (unit.ready ? 1 : 0);
  return count;
}

host::AppStats WorkerApps::total(uint32_t index) const {
  const Unit& unit = units_[index];
  host::AppStats all = unit.ended;
  if (unit.app) all += unit.app->stats();
  if (unit.ready) all += unit.ready->stats();
  all += retired_.stats_of(index);
  return all;
}

void WorkerApps::publish() {
  std::vector<admin::AppView> views;
  for (uint32_t index = 0; index < units_.size(); ++index) {
    const Unit& unit = units_[index];
    if (!unit.app) continue;
    const host::AppStats all = total(index);
    views.push_back({
        .name = unit.name,
        .worker = world_.worker_index,
        .generation = unit.app->generation(),
        .memory_bytes = unit.app->stats().memory_bytes,
        .memory_bytes_max = unit.limits.memory_bytes_max,
        .handled = all.handled,
        .errors = all.errors,
        .timeouts = all.timeouts,
        .waiting = unit.app->pins(),
        .handler_seconds = unit.handler_seconds->snapshot(),
    });
  }
  published_generations_.set(static_cast<int64_t>(generations()));
  const std::lock_guard lock(views_mutex_);
  views_ = std::move(views);
}

std::vector<admin::AppView> WorkerApps::views() const {
  const std::lock_guard lock(views_mutex_);
  return views_;
}

}  // namespace godwit::app

#include "reloader.h"

namespace godwit::sim {
namespace {

constexpr Duration kMailboxDelayMax = 1ms;
constexpr Duration kClockInterval = 5ms;

}  // namespace

Reloader::Reloader(World& world, app::WorkerApps& apps, host::AppSource source, const Plan& plan)
    : world_(world),
      apps_(apps),
      good_(std::move(source)),
      plan_(plan),
      reloads_(1, *this, {.probation = {.duration = plan.probation}},
               [this](const host::ReloadOutcome& outcome) { on_outcome(outcome); }) {}

void Reloader::start() {
  go_on();
  look_at_the_clock();
}

void Reloader::go_on() {
  if (done()) return;
  if (live_ > 1 && world_.random().chance(plan_.rollbacks)) {
    return reloads_.rollback(good_.name, world_.now());
  }
  host::AppSource source = good_;
  broken_ = live_ > 0 && world_.random().chance(plan_.broken);
  source.hash = ++version_;
  source.files.front().text += broken_ ? "\nthis is not Lua" : "\n-- " + std::to_string(version_);
  reloads_.load(good_.name, host::make_unit(std::move(source)), host::Reloads::Trigger::kCommand, world_.now());
}

void Reloader::on_outcome(const host::ReloadOutcome& outcome) {
  switch (outcome.what) {
    case host::ReloadOutcome::What::kLive:
      world_.expect(!broken_, "a broken script went live");
      ++live_;
      break;
    case host::ReloadOutcome::What::kRolledBack: ++rolled_back_; break;
    case host::ReloadOutcome::What::kRefused: ++refused_; break;
    default: world_.expect(false, "an outcome that nobody asked for");
  }
  world_.expect(outcome.generation > 0, "no version is live after a reload");
  world_.after(some(plan_.pause_max), [this] { go_on(); });
}

void Reloader::look_at_the_clock() {
  reloads_.expire(world_.now());
  world_.after(kClockInterval, [this] { look_at_the_clock(); });
}

void Reloader::prepare(uint32_t worker, const host::ReloadPlan& plan) {
  world_.after(some(kMailboxDelayMax), [this, worker, plan] {
    auto manifest = apps_.prepare(plan, host::AppLimits());
    world_.after(some(kMailboxDelayMax), [=, this] { reloads_.on_prepared(worker, plan.id, manifest, world_.now()); });
  });
}

void Reloader::migrate(uint32_t worker, const host::ReloadPlan& plan) {
  world_.after(some(kMailboxDelayMax), [this, worker, plan] {
    apps_.migrate([this, worker, plan](const Status& moved) {
      world_.after(some(kMailboxDelayMax), [=, this] { reloads_.on_migrated(worker, plan.id, moved, world_.now()); });
    });
  });
}

void Reloader::commit(uint32_t worker, const host::ReloadPlan& plan) {
  world_.after(some(kMailboxDelayMax), [this, worker, plan] {
    const host::AppStats replaced = apps_.commit(plan);
    apps_.reap();
    world_.after(some(kMailboxDelayMax), [=, this] { reloads_.on_committed(worker, plan.id, replaced, world_.now()); });
  });
}

void Reloader::abort(uint32_t, const host::ReloadPlan&) { apps_.abort(); }

void Reloader::settle(uint32_t, const std::string& unit) { apps_.settle(unit); }

Duration Reloader::some(Duration at_most) {
  return Duration(world_.random().below(static_cast<uint64_t>(at_most.count()) + 1));
}

}  // namespace godwit::sim

#include "app/worker_apps.h"
#include "load.h"
#include "scenario.h"
#include "server_node.h"
#include "source_root.h"

namespace godwit::sim {
namespace {

/// Replaces the echo app by itself, or tries to by a text that cannot run, for as long as it lives.
class Reloader {
 public:
  Reloader(World& world, app::WorkerApps& apps, host::AppSource source)
      : world_(world), apps_(apps), good_(std::move(source)) {
    reload();
  }

  uint32_t generation() const { return generation_; }
  uint32_t refused() const { return refused_; }

 private:
  void reload() {
    apps_.reap();
    const bool broken = generation_ > 0 && world_.random().chance(0.3);
    host::AppSource source = good_;
    if (broken) source.files.front().text += "\nthis is not Lua";
    const auto prepared = apps_.prepare(*host::make_unit(std::move(source)), generation_ + 1, host::AppLimits());
    world_.expect(prepared.has_value() != broken, broken ? "a broken script was loaded" : "the echo app does not load");
    if (prepared) {
      apps_.commit();
      ++generation_;
    } else {
      ++refused_;
    }
    world_.after(Duration(world_.random().below(100'000'000)), [this] { reload(); });
  }

  World& world_;
  app::WorkerApps& apps_;
  const host::AppSource good_;
  uint32_t generation_ = 0;
  uint32_t refused_ = 0;
};

}  // namespace

void lua_echo(World& world) {
  auto source = host::read_app(testing::source_root() / "scripts/echo", host::AppLimits());
  world.expect(source.has_value(), "the echo app cannot be read");
  if (!source) return;
  TraceLog log(world.trace(), "scripts");
  TimerHeap timers;  // the echo app has none
  app::WorkerApps apps({world.clock(), timers, log.log(), host::make_watchdog(), 0});
  Reloader reloader(world, apps, std::move(*source));
  ServerNode::Options options;
  options.handlers = &apps;
  ServerNode server(world, options);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.02, .delay = 20ms, .jitter = 5ms});
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 5s), "not connected");

  constexpr uint64_t kRequests = 5'000;
  Load load(world, peer,
            {.count = kRequests, .in_flight = 60, .body_bytes = [](uint64_t index) { return index * 7 % 3'000; }});
  load.pump();
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, 5min), "a request was left unanswered");
  world.expect(world.ledger().succeeded() == kRequests, "a request failed during a reload");
  world.expect(reloader.generation() > 10 && reloader.refused() > 2, "too few reloads to show anything");
  world.ledger().finish();
}

}  // namespace godwit::sim

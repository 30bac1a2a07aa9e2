#include <deque>

#include "load.h"
#include "reloader.h"
#include "scenario.h"
#include "server_node.h"
#include "source_root.h"
#include "trace_log.h"

namespace godwit::sim {
namespace {

/// The shipped echo app on a server, under a Reloader.
struct ReloadedEcho {
  ReloadedEcho(World& world, host::AppSource source, const Reloader::Plan& plan)
      : log(world.trace(), "scripts"),
        apps(host::AppWorld{world.clock(), timers, log.log(), host::make_watchdog()}),
        reloader(world, apps, std::move(source), plan),
        server(world, {.handlers = &apps}) {
    reloader.start();
    world.expect(world.run_until([&] { return reloader.live() > 0; }, 1s), "the echo app does not load");
  }

  TraceLog log;
  TimerHeap timers;  ///< the echo app has none
  app::WorkerApps apps;
  Reloader reloader;
  ServerNode server;
};

std::optional<host::AppSource> read_echo(World& world) {
  auto source = host::read_app(testing::source_root() / "scripts/echo", host::AppLimits());
  world.expect(source.has_value(), "the echo app cannot be read");
  return source ? std::optional(std::move(*source)) : std::nullopt;
}

}  // namespace

void lua_echo(World& world) {
  auto source = read_echo(world);
  if (!source) return;
  ReloadedEcho echo(world, std::move(*source), {.reloads = 1'000, .pause_max = 100ms});
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
  world.expect(echo.reloader.live() > 10 && echo.reloader.refused() > 2, "too few reloads to show anything");
  world.ledger().finish();
}

void reload(World& world) {
  auto source = read_echo(world);
  if (!source) return;
  constexpr uint32_t kReloads = 1'000;
  ReloadedEcho echo(world, std::move(*source), {.reloads = kReloads, .pause_max = 12ms, .broken = 0.1});
  const uint64_t memory_before = echo.apps.views().at(0).memory_bytes;

  struct Client {
    Client(World& world, uint8_t number)
        : node(world, options(number)),
          peer(node.connect()),
          load(world, peer, {.count = 1'000'000, .in_flight = 16}) {}
    static ClientNode::Options options(uint8_t number) {
      ClientNode::Options options;
      options.number = number;
      return options;
    }
    ClientNode node;
    ClientPeer& peer;
    Load load;
  };
  constexpr uint8_t kClients = 16;
  std::deque<Client> clients;
  for (uint8_t number = 1; number <= kClients; ++number) {
    Client& client = clients.emplace_back(world, number);
    world.network().set(client.node, {.delay = 5ms, .jitter = 1ms});
    world.expect(world.run_until([&] { return client.peer.connected(); }, 5s), "not connected");
  }
  const Timestamp began = world.now();
  const uint64_t succeeded_before = world.ledger().succeeded();
  for (Client& client : clients) client.load.pump();
  world.expect(world.run_until([&] { return echo.reloader.done(); }, 1min), "the reloads do not come to an end");
  const double seconds = std::chrono::duration<double>(world.now() - began).count();
  const auto rate = static_cast<double>(world.ledger().succeeded() - succeeded_before) / seconds;
  world.expect(rate > 10'000, "less than 10,000 messages a second");
  for (Client& client : clients) client.load.stop();
  world.expect(world.run_until([&] { return world.ledger().open() == 0; }, 10s), "a request was left unanswered");
  for (Client& client : clients) world.expect(!client.peer.ended(), "a connection was closed by a reload");
  world.expect(world.ledger().failed() == 0, "a request failed during a reload");
  world.expect(echo.reloader.refused() > 50 && echo.reloader.rolled_back() > 50, "too little went wrong on the way");
  world.run(1s);  // the last probation ends
  echo.apps.reap();
  echo.apps.publish();
  world.expect(echo.apps.generations() == 1, "replaced generations stay in memory");
  const uint64_t memory_after = echo.apps.views().at(0).memory_bytes;
  world.expect(memory_after < memory_before * 3 / 2 + 65'536, "the app grew with its generations");
  world.ledger().finish();
}

}  // namespace godwit::sim

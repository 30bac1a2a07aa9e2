#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {

void drain(World& world) {
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.02, .delay = 30ms, .jitter = 10ms});
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 5s), "not connected");
  Load load(world, peer, {.count = 100'000, .in_flight = 900, .send = {.action = "later"}});
  load.pump();
  world.run(Duration(world.random().between(50'000'000, 1'500'000'000)));

  server.core().drain();
  const bool drained = world.run_until([&] { return server.core().idle(); }, 10s);
  world.expect(drained, "what was in flight is not finished after 10 s");
  server.core().close_all(Code::kServerDraining, "the server is going down", quic::Connection::CloseMode::kAfterQueued);
  world.expect(world.run_until([&] { return peer.ended(); }, 5s), "the client does not hear that the server is gone");
  world.expect(peer.told_goodbye(), "no goodbye was said");
  world.expect(peer.why_ended().code == Code::kServerDraining, "ended with " + peer.why_ended().to_string());
  world.expect(load.settled() == load.sent(), "a message was left without an outcome");
  for (const auto& [code, count] : world.ledger().failures()) {
    world.expect(code == Code::kServerDraining, "a message failed with " + name_of(code));
  }
  world.expect(server.core().session_count() == 0 && server.sessions().used() == 0, "sessions are left");
  world.ledger().finish();
}

}  // namespace godwit::sim

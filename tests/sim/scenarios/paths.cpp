#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {

void port_change(World& world) {
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.01, .delay = 20ms, .jitter = 5ms});
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 5s), "not connected");

  Load load(world, peer,
            {.count = 3'000,
             .in_flight = 20,
             .body_bytes = [&](uint64_t index) { return index % 50 == 0 ? 100'000 : 100; },
             .send = {.options = {.timeout = 2min}}});
  load.pump();
  for (int i = 1; i <= 10; ++i) {
    const auto change = world.random().chance(0.7) ? Network::Change::kPort : Network::Change::kAddress;
    world.after(i * 1s, [&, change] { world.network().rebind(client, change); });
  }
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, 5min), "messages are left unanswered");
  world.run(11s);  // the last changes may come after the last message
  Load after(world, peer, {.count = 10});
  after.pump();
  world.expect(world.run_until([&] { return after.done(); }, 30s), "the session does not answer after the changes");
  world.expect(!peer.ended(), "the session died: " + peer.why_ended().to_string());
  world.expect(world.ledger().succeeded() == 3'010, "a message was lost");
  world.expect(server.metrics().connections_opened.value() == 1, "it was not the same connection");
  world.ledger().finish();
}

void server_silent(World& world) {
  ServerNode server(world);
  ClientNode client(world);
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 5s), "not connected");
  world.run(Duration(world.random().below(30'000'000'000)));
  world.network().blackhole(client, true);
  const Timestamp silent_since = world.now();
  peer.send({.body = as_bytes("is anybody there?"), .options = {.timeout = 10min}});
  world.expect(!world.run_until([&] { return peer.ended(); }, 29s), "given up too soon");
  world.expect(world.run_until([&] { return peer.ended(); }, 31s), "not noticed within 60 s");
  world.expect(peer.ended_at() - silent_since <= 60s, "noticed too late");
  world.expect(peer.why_ended().code == Code::kIdleTimeout, "ended with " + peer.why_ended().to_string());
  world.expect(world.ledger().told(Code::kIdleTimeout) == 1, "the request was not told why");
  world.expect(world.run_until([&] { return server.core().session_count() == 0; }, 31s),
               "the server keeps a dead session");
  world.expect(server.metrics().heartbeat_timeouts.value() == 1, "the silence is not counted");
  world.ledger().finish();
}

void idle_link(World& world) {
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.05, .delay = 100ms, .jitter = 50ms});
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 10s), "not connected");
  world.run(10min);
  world.expect(!peer.ended(), "the idle session died: " + peer.why_ended().to_string());
  Load load(world, peer, {.count = 1});
  load.pump();
  world.expect(world.run_until([&] { return load.done(); }, 30s), "it does not answer any more");
  world.expect(world.ledger().succeeded() == 1, "the answer is a failure");
  world.expect(server.metrics().heartbeat_timeouts.value() == 0, "a link that lives counts as silent");
}

void dead_peer(World& world) {
  const Duration interval = world.seed() % 2 == 0 ? 30s : 15s;
  ServerNode::Options serving;
  serving.core.session.heartbeat_interval = interval;
  serving.transport.idle_timeout = 3 * interval + 60s;
  ServerNode server(world, serving);
  ClientNode::Options options;
  options.transport.idle_timeout = serving.transport.idle_timeout;
  options.core.session.heartbeat_interval = interval;
  ClientNode client(world, options);
  ClientPeer& peer = connect(world, client);
  // As long as it is heard it lives, however long its interval is.
  world.run(10 * interval);
  world.expect(!peer.ended() && server.core().session_count() == 1, "a client that is heard was given up");
  Load last(world, peer, {.count = 1});
  last.pump();
  world.expect(world.run_until([&] { return last.done(); }, 1s), "no answer");
  world.network().blackhole(client, true);
  world.run(3 * interval - 1s);
  world.expect(!peer.ended() && server.core().session_count() == 1, "given up before three intervals have passed");
  world.expect(world.run_until([&] { return peer.ended() && server.core().session_count() == 0; }, 6s),
               "a dead peer is not noticed within five seconds after three intervals");
  world.expect(peer.why_ended().code == Code::kIdleTimeout, "ended with " + peer.why_ended().to_string());
}

void one_heartbeat(World& world) {
  ServerNode server(world);
  ClientNode::Options options;
  options.core.keep_sessions = true;
  options.redial_after = 1ms;
  ClientNode client(world, options);
  world.network().set(client, {.delay = 10ms});
  ClientPeer& peer = connect(world, client);
  for (int i = 0; i < 50 && world.ok(); ++i) {
    const uint64_t resumes = peer.resumes();
    client.drop(peer);
    world.expect(world.run_until([&] { return peer.resumes() > resumes && peer.connected(); }, 10s), "not resumed");
  }
  world.run(1min);  // those of before are gone
  const uint64_t before = world.network().up(client).counts().sent;
  world.run(10 * 15s);
  const uint64_t datagrams = world.network().up(client).counts().sent - before;
  // Each beat is a ping and at most two acknowledgements.
  world.expect(datagrams >= 10 && datagrams <= 30, std::to_string(datagrams) + " datagrams for ten heartbeats");
}

namespace {

/// RFC 9000, section 8: to an address that nothing proves, three times what came from it at most.
void expect_not_amplified(World& world, const ClientNode& client, const Link::Counts& up, const Link::Counts& down) {
  world.run(20s);
  const uint64_t received = world.network().up(client).counts().bytes - up.bytes;
  const uint64_t sent = world.network().down(client).counts().bytes - down.bytes;
  world.expect(received > 0 && sent > 0, "nothing was sent");
  world.expect(sent <= 3 * received, std::to_string(sent) + " bytes sent for " + std::to_string(received));
}

}  // namespace

void amplification(World& world) {
  ServerNode server(world);
  ClientNode::Options options;
  ClientNode stranger(world, options);
  world.network().down(stranger).conditions.blackhole = true;
  stranger.connect(15s);
  expect_not_amplified(world, stranger, {}, {});

  options.number = 2;
  ClientNode client(world, options);
  world.network().set(client, {.delay = 20ms});
  ClientPeer& peer = client.connect();
  world.expect(world.run_until([&] { return peer.connected(); }, 5s), "not connected");
  Load load(world, peer, {.count = 1'000, .in_flight = 10, .body_bytes = [](uint64_t) { return 200'000; }});
  load.pump();
  world.run(500ms);
  // Somebody else's address takes the client's place, and hears none of what it asked for.
  world.network().rebind(client, Network::Change::kAddress);
  world.network().down(client).conditions.blackhole = true;
  const Link::Counts up = world.network().up(client).counts(), down = world.network().down(client).counts();
  expect_not_amplified(world, client, up, down);
}

}  // namespace godwit::sim

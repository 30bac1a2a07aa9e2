#include "client_node.h"
#include "raw_client_node.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {
namespace {

/// Until each has connected or failed.
bool all_decided(const ClientNode& client) {
  for (const ClientPeer& peer : client.peers()) {
    if (peer.state() == ClientPeer::State::kConnecting) return false;
  }
  return true;
}

}  // namespace

void handshake_loss30(World& world) {
  constexpr int kHandshakes = 100;
  ServerNode::Options server_options;
  server_options.transport.handshake_timeout = 15s;
  server_options.core.session.greeting_timeout = 15s;
  ServerNode server(world, server_options);
  ClientNode::Options client_options;
  client_options.transport.handshake_timeout = 15s;
  ClientNode client(world, client_options);
  const double burst = world.random().chance(0.5) ? 3 : 1;
  world.network().set(client, {.loss = 0.3, .burst = burst, .delay = 20ms});

  for (int i = 0; i < kHandshakes; ++i) {
    world.after(i * 50ms, [&] { client.connect(15s); });
  }
  world.run(kHandshakes * 50ms);
  world.run_until([&] { return all_decided(client); }, 20s);
  const auto failed = std::count_if(client.peers().begin(), client.peers().end(),
                                    [](const ClientPeer& peer) { return !peer.connected(); });
  world.expect(failed <= kHandshakes / 100, std::to_string(failed) + " of 100 handshakes failed");
}

void greeting_stall(World& world) {
  ServerNode server(world);
  RawClientNode client(world);
  const auto expect_gone = [&](RawClientNode::Behaviour behaviour) {
    client.connect(behaviour);
    world.expect(world.run_until([&] { return client.handshake_done(); }, 1s), "no handshake");
    const Timestamp connected = world.now();
    world.expect(!world.run_until([&] { return client.closed().has_value(); }, 4500ms), "closed before its time");
    world.expect(world.run_until([&] { return client.closed().has_value(); }, 600ms), "not closed after 5 s");
    world.expect(client.closed() && client.closed()->app_error == quic::to_app_error(Code::kFirstFrameTimeout),
                 "closed with another code than FirstFrameTimeout");
    world.expect(world.now() - connected <= 5100ms, "closed too late");
    world.expect(world.run_until([&] { return server.core().endpoint().connection_count() == 0; }, 2s),
                 "the place is not free again");
  };
  expect_gone(RawClientNode::Behaviour::kSilent);
  expect_gone(RawClientNode::Behaviour::kByteASecond);
  world.expect(server.core().session_count() == 0 && server.sessions().used() == 0, "a session was made");
}

void caps(World& world) {
  constexpr size_t kPlaces = 40;
  ServerNode::Options options;
  options.core.session.sessions_max = kPlaces;
  ServerNode server(world, options);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.02, .delay = 10ms, .jitter = 5ms});
  for (size_t i = 0; i < kPlaces + 25; ++i) client.connect();
  world.expect(world.run_until([&] { return all_decided(client); }, 20s), "a client was left without an answer");
  world.expect(client.connected() == kPlaces, std::to_string(client.connected()) + " got in");
  world.expect(server.sessions().used() == kPlaces, "the places are counted wrongly");
  for (const ClientPeer& peer : client.peers()) {
    world.expect(peer.connected() || peer.why_ended().code == Code::kTooManyConnections,
                 "refused with " + peer.why_ended().to_string());
  }

  // A place that becomes free can be taken again, by one. A goodbye is one packet: lost, it is the idle time that ends
  // the session, which is not what is looked at here.
  world.network().set(client, {.delay = 10ms, .jitter = 5ms});
  client.close(client.peers().front().connected()
                   ? client.peers().front()
                   : *std::find_if(client.peers().begin(), client.peers().end(),
                                   [](const ClientPeer& peer) { return peer.connected(); }));
  world.run(2s);
  world.expect(server.sessions().used() == kPlaces - 1, "the place of a client that left is not free");
  client.connect();
  client.connect();
  world.run_until([&] { return all_decided(client); }, 10s);
  world.expect(client.connected() == kPlaces, "a free place was not given to exactly one");
}

void retry(World& world) {
  ServerNode::Options options;
  options.admission.half_open_retry = 3;
  ServerNode server(world, options);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.1, .delay = 20ms, .jitter = 10ms});
  for (int i = 0; i < 30; ++i) client.connect();
  world.expect(world.run_until([&] { return all_decided(client); }, 10s), "a client was left without an answer");
  world.expect(client.connected() == 30, std::to_string(client.connected()) + " of 30 got in");
  world.expect(server.metrics().retries_sent.value() > 0, "no address had to be proved");
  world.expect(server.metrics().tokens_rejected.value() == 0, "a genuine token was rejected");
}

void wrong_token(World& world) {
  ServerNode::Options options;
  options.tokens = {{"right", "alice"}};
  ServerNode server(world, options);
  ClientNode client(world);
  const ClientPeer& wrong = client.connect(10s, "wrong");
  const ClientPeer& none = client.connect(10s);
  const ClientPeer& right = client.connect(10s, "right");
  world.expect(world.run_until([&] { return all_decided(client); }, 5s), "a client was left without an answer");
  world.expect(wrong.ended() && wrong.why_ended().code == Code::kUnauthenticated, "a wrong token was not refused");
  world.expect(none.ended() && none.why_ended().code == Code::kUnauthenticated, "a missing token was not refused");
  world.expect(right.connected(), "the right token was refused");

  RawClientNode insistent(world);
  insistent.connect(RawClientNode::Behaviour::kGreetsTwice);
  world.expect(world.run_until([&] { return insistent.closed().has_value(); }, 5s), "not closed after a refusal");
  world.expect(server.core().session_count() == 1, "a second Hello on a refused connection was let in");
}

void unread_answers(World& world) {
  ServerNode server(world);
  RawClientNode client(world);
  client.connect(RawClientNode::Behaviour::kNeverReads);
  world.expect(!world.run_until([&] { return client.closed().has_value(); }, 300ms), "closed for some pings");
  world.expect(world.run_until([&] { return client.closed().has_value(); }, 10s), "the answers pile up");
  world.expect(client.closed() && client.closed()->app_error == quic::to_app_error(Code::kExcessiveLoad),
               "closed with another code than ExcessiveLoad");
  // What fits the stream's window went out, and a quarter of a megabyte waited; each answer has 11 bytes.
  world.expect(client.pings() < 150'000, std::to_string(client.pings()) + " pings were answered");
}

}  // namespace godwit::sim

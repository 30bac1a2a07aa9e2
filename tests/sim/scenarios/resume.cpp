#include <algorithm>
#include <array>
#include <deque>

#include "load.h"
#include "scenario.h"
#include "server_node.h"
#include "workers_node.h"

namespace godwit::sim {
namespace {

/// Silence is noticed within seconds, so that connections are lost often.
template <typename Options>
Options alert() {
  Options options;
  options.core.session.heartbeat_interval = 2s;
  options.transport.idle_timeout = 20s;
  return options;
}

ClientNode::Options keeping(Duration redial_after) {
  auto options = alert<ClientNode::Options>();
  options.core.keep_sessions = true;
  options.redial_after = redial_after;
  return options;
}

ServerNode::Options serving() { return alert<ServerNode::Options>(); }

/// Pushes events to the client all the time.
class Pusher {
 public:
  Pusher(World& world, ServerNode& server, std::string client_id)
      : world_(world), server_(server), client_id_(std::move(client_id)) {
    push();
  }
  void stop() { stopped_ = true; }
  uint64_t sent() const { return sent_; }

 private:
  void push() {
    if (stopped_) return;
    const auto body = make_body(world_.seed() ^ ++sent_, world_.random().chance(0.02) ? 70'000 : 40);
    sent_ -= !server_.push(client_id_, body);
    world_.after(30ms, [this] { push(); });
  }

  World& world_;
  ServerNode& server_;
  const std::string client_id_;
  uint64_t sent_ = 0;
  bool stopped_ = false;
};

}  // namespace

void resume(World& world) {
  constexpr uint64_t kRequests = 3'000;
  ServerNode server(world, serving());
  ClientNode client(world, keeping(200ms));
  world.network().set(client, {.loss = 0.02, .delay = 30ms, .jitter = 10ms});
  ClientPeer& peer = connect(world, client);
  Pusher pusher(world, server, peer.client_id());
  Load load(world, peer,
            {.count = kRequests,
             .in_flight = 60,
             .body_bytes = [&](uint64_t index) { return index % 40 == 0 ? 100'000 : 100; },
             .send = {.options = {.timeout = 30min}}});
  load.pump();
  // The cable is pulled, at moments that the seed chooses: seen by both sides, by the client alone, and by neither.
  for (int i = 1; i <= 8; ++i) {
    const Duration at = i * 20s + Duration(world.random().below(5'000'000'000));
    const Duration dark = Duration(world.random().below(12'000'000'000));
    switch (world.random().below(3)) {
      case 0:
        world.after(at, [&] { world.network().blackhole(client, true); });
        world.after(at + dark, [&] { world.network().blackhole(client, false); });
        break;
      case 1: world.after(at, [&] { client.drop(peer); }); break;
      default: world.after(at, [&] { world.network().rebind(client, Network::Change::kAddress); }); break;
    }
  }
  world.after(30s, [&] { client.drop(peer); });
  world.run(4min);
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, 10min), "requests are left unanswered");
  pusher.stop();
  world.expect(!peer.ended(), "the session died: " + peer.why_ended().to_string());
  world.expect(world.run_until([&] { return world.ledger().open() == 0; }, 2min), "messages are left without outcome");
  world.expect(peer.resumes() >= 1, "nothing was resumed");
  world.expect(world.ledger().failed() == 0, "a message failed");
  world.expect(world.ledger().succeeded() == kRequests + pusher.sent(), "not everything arrived");
  world.expect(server.core().session_count() == 1, "there is not one session");
  world.ledger().finish();
}

void resume_window(World& world) {
  ServerNode server(world, serving());
  ClientNode client(world, keeping(0s));
  world.network().set(client, {.delay = 10ms});
  const bool late = world.seed() % 2 == 0;
  ClientPeer& peer = connect(world, client);
  const std::vector<uint8_t> body = make_body(1, 10);
  world.network().blackhole(client, true);
  const auto sent = peer.send({.body = body, .options = {.timeout = 10min}});
  world.expect(sent.has_value(), "not taken");
  world.expect(world.run_until([&] { return peer.parted() && server.core().sessions().parted() == 1; }, 30s),
               "the loss was not noticed");
  world.network().blackhole(client, false);
  // A handshake takes 40 ms, and the session's window began before this moment.
  world.run(late ? 60s : 60s - 1s);
  client.resume(peer);
  world.run_until([&] { return world.ledger().open() == 0; }, 5s);
  world.expect(world.ledger().open() == 0, "the message has no outcome");
  if (late) {
    world.expect(world.ledger().told(Code::kSessionLost) == 1, "nobody was told that the session was lost");
    world.expect(world.run_until([&] { return peer.ended(); }, 5s), "a lost session lives");
  } else {
    world.expect(world.ledger().succeeded() == 1 && peer.resumes() == 1, "the session was not resumed");
  }
  world.ledger().finish();
}

void lost_welcomes(World& world) {
  ServerNode server(world, serving());
  ClientNode client(world, keeping(0s));
  world.network().set(client, {.delay = 50ms});
  ClientPeer& peer = connect(world, client);
  Load load(world, peer, {.count = 200, .in_flight = 50, .send = {.options = {.timeout = 10min}}});
  load.pump();
  world.run(120ms);
  client.drop(peer);
  // The server takes the session up, and before its Welcome arrives the client has lost this connection, too.
  for (uint64_t i = 0; i < world.random().between(2, 6) && world.ok(); ++i) {
    const uint64_t taken_up = server.metrics().resumes.value();
    client.resume(peer);
    world.expect(world.run_until([&] { return server.metrics().resumes.value() > taken_up; }, 5s), "not taken up");
    if (world.random().chance(0.5)) {
      client.drop(peer);
    } else {
      client.close(peer);  // gives this try up, and says so
      world.run(5s);
    }
    world.expect(world.run_until([&] { return peer.parted(); }, 40s), "the client does not notice");
  }
  client.resume(peer);
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, 30s), "requests are left unanswered");
  world.expect(!peer.ended(), "the session died: " + peer.why_ended().to_string());
  world.expect(world.ledger().failed() == 0 && server.core().session_count() == 1, "something was lost");
  world.ledger().finish();
}

void late_hello(World& world) {
  constexpr Duration kDelay = 50ms;
  ServerNode server(world, serving());
  ClientNode client(world, keeping(0s));
  world.network().set(client, {.delay = kDelay});
  ClientPeer& peer = connect(world, client);
  Load load(world, peer, {.count = 50, .in_flight = 50, .send = {.options = {.timeout = 10min}}});
  load.pump();
  world.run(20ms);
  client.drop(peer);
  world.run(1ms);
  // The handshake of the first try is over after 2 ways; its Hello, and all behind it, is slow and arrives somewhere
  // between the second try's Hello and the first frame behind that one's Welcome, or beside that.
  client.resume(peer);
  world.run(kDelay + 20ms);
  const Duration late = kDelay + Duration(world.random().between(90'000'000, 230'000'000));
  world.network().up(client).conditions.delay = late;
  world.run(kDelay);
  world.network().up(client).conditions.delay = kDelay;
  client.drop(peer);
  world.run(1ms);
  world.expect(peer.parted(), "the first try is not given up");
  client.resume(peer);
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, 30s), "requests are left unanswered");
  world.run(1s);
  world.expect(peer.connected(), "the session was lost to what had been given up: " + peer.why_ended().to_string());
  world.expect(server.core().session_count() == 1 && world.ledger().failed() == 0, "something was lost");
  world.ledger().finish();
}

void same_name(World& world) {
  auto options = serving();
  options.tokens = {{"ada's", "ada"}, {"eve's", "eve"}};
  ServerNode server(world, options);
  std::vector<std::unique_ptr<ClientNode>> programs;
  const auto start = [&](std::string token) -> ClientPeer& {
    auto client_options = keeping(200ms);
    client_options.number = static_cast<uint8_t>(programs.size() + 1);
    ClientNode& client = *programs.emplace_back(std::make_unique<ClientNode>(world, client_options));
    world.network().set(client, {.loss = 0.02, .delay = 20ms, .jitter = 5ms});
    return client.connect_as("device", 10s, std::move(token));
  };
  const ClientPeer* last = &start("ada's");
  world.expect(world.run_until([&] { return last->connected(); }, 10s), "not connected");
  for (int i = 0; i < 12 && world.ok(); ++i) {
    if (world.random().chance(0.3)) {
      const ClientPeer& other = start("eve's");
      world.expect(world.run_until([&] { return other.ended(); }, 10s), "somebody else has an answer to wait for");
      world.expect(other.why_ended().code == Code::kIdentityInUse, "let in, or refused for another reason");
      world.expect(last->connected(), "who was refused has harmed who was there");
      continue;
    }
    const ClientPeer& next = start("ada's");
    world.expect(world.run_until([&] { return next.connected(); }, 10s), "the same client is not let in");
    world.expect(world.run_until([&] { return last->ended(); }, 5s), "who was superseded hears nothing of it");
    world.expect(last->why_ended().code == Code::kSuperseded, "told something else");
    world.expect(server.core().session_count() == 1 && server.sessions().used() == 1, "sessions pile up");
    last = &next;
  }
  world.expect(world.run_until([&] { return server.core().peer_count() == 1; }, 5s), "connections are left over");
  world.ledger().finish();
}

void closed_for_good(World& world) {
  ServerNode server(world, serving());
  ClientNode client(world, keeping(200ms));
  world.network().set(client, {.delay = 20ms});
  ClientPeer& peer = connect(world, client);
  const bool parted = world.seed() % 2 == 0;
  if (parted) {
    world.network().blackhole(client, true);
    world.expect(world.run_until([&] { return server.core().sessions().parted() == 1; }, 30s), "not parted");
  } else {
    client.drop(peer);  // and comes back before the server has noticed
  }
  world.expect(server.close_all_sessions(Code::kForbidden), "there is no session to close");
  world.network().blackhole(client, false);
  world.expect(world.run_until([&] { return peer.ended(); }, 60s), "a session that was closed goes on");
  world.expect(peer.resumes() == 0, "a session that was closed was resumed");
  world.expect(world.run_until([&] { return server.core().session_count() == 0; }, 60s), "it is left over");
  world.ledger().finish();
}

void takeover(World& world) {
  ServerNode server(world, serving());
  ClientNode client(world, keeping(1ms));
  world.network().set(client, {.delay = 10ms});
  ClientPeer& peer = connect(world, client);
  Load load(world, peer, {.count = 1'000'000, .in_flight = 100, .send = {.options = {.timeout = 10min}}});
  load.pump();
  for (int i = 0; i < 100 && world.ok(); ++i) {
    const uint64_t resumes = peer.resumes();
    world.run(Duration(world.random().below(60'000'000)));
    client.drop(peer);
    world.expect(world.run_until([&] { return peer.resumes() > resumes && peer.connected(); }, 10s),
                 "an instant reconnect does not find the session");
    world.expect(server.core().session_count() == 1 && server.sessions().used() == 1, "sessions pile up");
  }
  load.stop();
  world.expect(world.run_until([&] { return load.settled() == load.sent(); }, 30s), "requests are left unanswered");
  world.expect(world.ledger().failed() == 0, "a request failed");
  world.expect(world.run_until([&] { return server.core().peer_count() == 1; }, 5s),
               "superseded connections live for more than five seconds");
  world.ledger().finish();
}

void error_injection(World& world) {
  constexpr uint64_t kEach = 5'000;
  ServerNode server(world, serving());
  std::deque<ClientNode> clients;
  std::deque<Load> loads;
  for (uint8_t number = 1; number <= 3; ++number) {
    auto options = keeping(100ms);
    options.number = number;
    ClientNode& client = clients.emplace_back(world, options);
    world.network().set(client, {.loss = 0.05, .delay = 20ms, .jitter = 5ms, .duplicate = 0.02, .corrupt = 0.02});
    ClientPeer& peer = connect(world, client);
    loads
        .emplace_back(world, peer,
                      Load::Plan{.count = kEach,
                                 .in_flight = 50,
                                 .body_bytes = [](uint64_t) { return size_t{1024}; },
                                 .send = {.options = {.timeout = 30min}}})
        .pump();
    for (int i = 1; i <= 10; ++i)
      world.after(i * 3s + Duration(world.random().below(3'000'000'000)), [&client, &peer] { client.drop(peer); });
  }
  const auto done = [](const Load& load) { return load.done(); };
  world.expect(world.run_until([&] { return std::all_of(loads.begin(), loads.end(), done); }, 20min),
               "messages are left without an outcome");
  world.expect(world.ledger().succeeded() == 3 * kEach, "not every message was delivered");
  world.expect(world.ledger().handled() == 3 * kEach, "not every message was handled once");
  world.ledger().finish();
}

void two_workers(World& world) {
  constexpr uint64_t kEach = 300;
  constexpr uint8_t kClients = 10;
  WorkersNode server(world, serving().core, serving().transport);
  std::deque<ClientNode> clients;
  std::deque<Load> loads;
  std::deque<ClientPeer*> peers;
  for (uint8_t number = 1; number <= kClients; ++number) {
    auto options = keeping(50ms);
    options.number = number;
    ClientNode& client = clients.emplace_back(world, options);
    world.network().set(client, {.loss = 0.02, .delay = 15ms, .jitter = 5ms});
    ClientPeer& peer = *peers.emplace_back(&connect(world, client));
    loads
        .emplace_back(
            world, peer,
            Load::Plan{.count = kEach, .in_flight = 20, .send = {.action = "later", .options = {.timeout = 30min}}})
        .pump();
    for (int i = 1; i <= 12; ++i)
      world.after(i * 400ms + Duration(world.random().below(400'000'000)), [&client, &peer] { client.drop(peer); });
  }
  const auto done = [](const Load& load) { return load.done(); };
  world.expect(world.run_until([&] { return std::all_of(loads.begin(), loads.end(), done); }, 20min),
               "messages are left without an outcome");
  for (const ClientPeer* peer : peers) world.expect(peer->resumes() > 0, "a session was not resumed");
  world.expect(world.ledger().succeeded() == kClients * kEach && world.ledger().failed() == 0, "a message was lost");
  world.expect(
      world.run_until([&] { return server.session_count() == kClients; }, 5s) && server.places().used() == kClients,
      "there is not one session for each client");
  world.ledger().finish();
}

}  // namespace godwit::sim

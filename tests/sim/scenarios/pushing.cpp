#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {
namespace {

/// A client that writes down, of each of its requests, what it saw in which order.
class Around {
 public:
  Around(World& world, uint8_t number, const ClientNode::Options& options)
      : world_(world), node_(world, numbered(options, number)), number_(number) {
    world.network().set(node_, {.loss = 0.02, .delay = 20ms, .jitter = 15ms});
    peer_ = &node_.connect(30s);
  }
  ClientPeer& peer() { return *peer_; }
  ClientNode& node() { return node_; }

  void ask(int count) {
    peer_->on_note = [this](const session::Incoming& note) { see(as_text(note.body), note.envelope.action[0]); };
    peer_->on_settled = [this](const session::Reply& reply) {
      see(reply.status == wire::Status::kSuccess ? as_text(reply.body) : reply.text, 'r');
    };
    for (int i = 0; i < count; ++i) {
      const std::string body = std::to_string(number_) + "." + std::to_string(++asked_);
      const auto sent = peer_->send({.action = "around", .body = as_bytes(body), .options = {.timeout = 10min}});
      world_.expect(sent.has_value(), "a request was not taken");
    }
  }
  bool done() const { return complete_ == asked_; }

 private:
  static ClientNode::Options numbered(ClientNode::Options options, uint8_t number) {
    options.number = number;
    return options;
  }
  void see(std::string_view request, char what) {
    std::string& seen = seen_[std::string(request)];
    seen += what;
    world_.expect(std::string_view("bra").starts_with(seen), "seen in the order " + seen);
    complete_ += seen == "bra";
  }

  World& world_;
  ClientNode node_;
  const uint8_t number_;
  ClientPeer* peer_ = nullptr;
  std::map<std::string, std::string> seen_;
  size_t asked_ = 0, complete_ = 0;
};

/// Counts what it hears, by kind.
struct Listener final : host::SessionListener {
  using What = host::SessionEvent::What;
  bool hears(What) const override { return true; }
  void on_session(const host::SessionEvent& event) override {
    ++heard[static_cast<size_t>(event.what)];
    last = event;
  }
  uint64_t of(What what) const { return heard[static_cast<size_t>(what)]; }

  std::array<uint64_t, host::kSessionEvents> heard{};
  host::SessionEvent last;
};

Duration p99_of(std::vector<Duration> all) {
  if (all.empty()) return {};
  const auto at = all.begin() + static_cast<ptrdiff_t>(all.size() * 99 / 100);
  std::nth_element(all.begin(), at, all.end());
  return *at;
}

}  // namespace

void notify_order(World& world) {
  constexpr int kClients = 20, kRequests = 500;
  ServerNode::Options serving;
  serving.core.dispatcher.queue_messages_max = kClients * kRequests;
  serving.core.session.heartbeat_interval = 2s;
  ServerNode server(world, serving);
  ClientNode::Options keeping;
  keeping.core.keep_sessions = true;
  keeping.core.session.heartbeat_interval = 2s;
  keeping.redial_after = 100ms;
  std::deque<Around> clients;
  for (uint8_t number = 1; number <= kClients; ++number) clients.emplace_back(world, number, keeping);
  const auto connected = [](Around& client) { return client.peer().connected(); };
  world.expect(world.run_until([&] { return std::all_of(clients.begin(), clients.end(), connected); }, 30s),
               "not connected");
  for (Around& client : clients) client.ask(kRequests);
  // Some lose their connection in the middle of it.
  for (Around& client : clients) {
    if (world.random().chance(0.3))
      world.after(Duration(world.random().below(300'000'000)), [&client] { client.node().drop(client.peer()); });
  }
  const auto done = [](Around& client) { return client.done(); };
  world.expect(world.run_until([&] { return std::all_of(clients.begin(), clients.end(), done); }, 3min),
               "a response, or what belongs to it, is missing");
  world.expect(server.metrics().bound_events.value() == 0, "bound events are left over");
  world.expect(server.metrics().bound_events_expired.value() == 0, "bound events expired");
  world.ledger().finish();
}

void slow_consumer(World& world) {
  using session::Overflow;
  constexpr int kClients = 40;
  ServerNode::Options serving;
  serving.core.session.overflow =
      std::array{Overflow::kReject, Overflow::kDropOldest, Overflow::kDisconnect}[world.seed() % 3];
  serving.core.session.outbox_messages_max = 200;
  // Neither silence nor missing acknowledgements end the connection before its session is full.
  serving.core.session.heartbeat_interval = 1h;
  serving.transport.idle_timeout = 1h;
  ServerNode server(world, serving);
  std::deque<ClientNode> clients;
  std::vector<Duration> latencies;
  for (uint8_t number = 1; number <= kClients; ++number) {
    ClientNode::Options options;
    options.number = number;
    options.core.session.heartbeat_interval = 1h;
    options.transport.idle_timeout = 1h;
    ClientNode& client = clients.emplace_back(world, options);
    world.network().set(client, {.delay = 10ms, .jitter = 5ms});
    connect(world, client).on_note = [&](const session::Incoming& note) {
      latencies.push_back(world.now() - from_ns(std::stoull(std::string(as_text(note.body)))));
    };
  }
  const auto spread = [&](int times) {
    latencies.clear();
    for (int i = 0; i < times && world.ok(); ++i) {
      const std::string body = std::to_string(to_ns(world.now()));
      world.expect(server.services().broadcast({}, 0, {.action = "note", .body = as_bytes(body)}, {}).has_value(),
                   "not spread");
      world.run(20ms);
    }
  };
  spread(300);
  world.run(1s);
  world.expect(latencies.size() == 300 * kClients, "not everybody has everything");
  const Duration before = p99_of(latencies);
  world.pause(clients.front(), 10s);
  spread(450);
  world.run(200ms);
  const Duration with_one_blocked = p99_of(latencies);
  world.expect(latencies.size() == 450 * (kClients - 1), "one who is blocked keeps something from the others");
  world.expect(with_one_blocked <= before + before / 10, "one who is blocked delays the others");

  const auto& overflows = server.metrics().outbox_overflows;
  const auto count = [&](OverflowOutcome outcome) { return overflows[static_cast<size_t>(outcome)].value(); };
  switch (serving.core.session.overflow) {
    case Overflow::kReject:
      world.expect(count(OverflowOutcome::kRejected) == 250, "not refused, or not counted");
      break;
    case Overflow::kDropOldest:
      world.expect(count(OverflowOutcome::kDropped) == 50, "not the oldest were dropped, or not counted");
      world.expect(server.metrics().outbox_waiting.value() == 200, "not as many wait as may");
      break;
    case Overflow::kDisconnect: world.expect(count(OverflowOutcome::kClosed) == 1, "not closed, or not counted"); break;
  }
  latencies.clear();
  world.run(20s);
  const size_t left = serving.core.session.overflow == Overflow::kDropOldest ? 400 : 200;
  if (serving.core.session.overflow != Overflow::kDisconnect)
    world.expect(latencies.size() == left, "what was kept for it does not arrive when it goes on");
  world.expect(server.metrics().outbox_waiting.value() == 0, "events wait for ever");
}

void idle_session(World& world) {
  const bool by_messages = world.seed() % 2 == 0;
  ServerNode::Options serving;
  serving.core.session.activity = by_messages ? session::Activity::kMessages : session::Activity::kAnything;
  serving.core.session.heartbeat_interval = by_messages ? 15s : 1h;
  serving.transport.idle_timeout = 1h;
  ServerNode server(world, serving);
  ClientNode::Options options;
  options.core.keep_sessions = true;
  options.core.session.heartbeat_interval = serving.core.session.heartbeat_interval;
  options.transport.idle_timeout = 1h;
  ClientNode client(world, options);
  world.network().set(client, {.delay = 10ms});
  ClientPeer& peer = connect(world, client);
  world.run(Duration(world.random().below(60'000'000'000)));
  expect_all_succeed(world, peer, {.count = 1}, 10s);
  const Timestamp last = world.now();
  world.run(5min - 1s);
  world.expect(!peer.ended() && server.core().session_count() == 1, "ended before it was idle for long enough");
  world.expect(world.run_until([&] { return peer.ended() && server.core().session_count() == 0; }, 1min),
               "still there");
  world.expect(world.now() - last <= 5min + 31s, "ended late");
  world.expect(peer.why_ended().code == Code::kSessionIdle, "ended as " + peer.why_ended().to_string());
  world.expect(server.directory().size() == 0 && server.sessions().used() == 0, "something of it is left");
  world.expect(server.metrics().sessions_idled.value() == 1, "not counted");
  world.ledger().finish();
}

void offline(World& world) {
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.05, .delay = 30ms, .jitter = 20ms});
  ClientPeer& before = client.connect(30s, {}, "ada");
  world.expect(world.run_until([&] { return before.connected(); }, 30s), "not connected");
  const auto keep = [&](int number) {
    const std::string body = std::to_string(number);
    return server.services().keep("ada", {.action = "note", .body = as_bytes(body)}, {});
  };
  world.expect(!keep(0), "kept for somebody who is here");
  client.close(before);
  world.expect(world.run_until([&] { return server.core().session_count() == 0; }, 1min), "still here");
  for (int i = 1; i <= 150; ++i) world.expect(keep(i).has_value(), "not kept");
  world.expect(!server.services().keep("bob", {.action = "note"}, {}), "kept for somebody who never was here");
  const bool late = world.seed() % 2 == 0;
  world.run(late ? 181s : 170s);
  std::vector<std::string> seen;
  ClientPeer& after = client.connect(30s, {}, "ada");
  after.on_note = [&](const session::Incoming& note) {
    seen.push_back(std::string(as_text(note.body)) + " " +
                   std::string(note.envelope.headers.empty() ? "" : note.envelope.headers[0].value));
  };
  world.expect(world.run_until([&] { return after.connected(); }, 9s), "not connected");
  world.expect(server.services().broadcast({}, 0, {.action = "note", .body = as_bytes("live")}, {}).has_value(),
               "not sent");
  world.expect(world.run_until([&] { return !seen.empty() && seen.back() == "live "; }, 30s), "nothing arrives");
  world.expect(seen.size() == (late ? 1 : 101), "not what was kept");
  for (size_t i = 0; i + 1 < seen.size(); ++i) {
    const std::string expected = std::to_string(51 + i) + " " + std::to_string(i + 1) + "/100";
    world.expect(seen[i] == expected, "expected " + expected + ", got " + seen[i]);
  }
  const WorkerMetrics& metrics = server.metrics();
  world.expect(metrics.offline_kept.value() == 150 && metrics.offline_dropped.value() == 50, "not counted");
  world.expect(metrics.offline_delivered.value() == (late ? 0u : 100u), "deliveries are not counted");
  world.expect(metrics.offline_expired.value() == (late ? 100u : 0u), "what expired is not counted");
  world.expect(metrics.offline_messages.value() == 0 && metrics.offline_bytes.value() == 0, "something is left");
}

void hooks(World& world) {
  using What = host::SessionEvent::What;
  Listener listener;
  ServerNode::Options serving;
  serving.core.session.heartbeat_interval = 2s;
  serving.listener = &listener;
  ServerNode server(world, serving);
  ClientNode::Options keeping;
  keeping.core.keep_sessions = true;
  keeping.core.session.heartbeat_interval = 2s;
  keeping.redial_after = 500ms;
  ClientNode client(world, keeping);
  world.network().set(client, {.loss = 0.03, .delay = 30ms, .jitter = 20ms});
  ClientPeer& peer = connect(world, client);
  expect_all_succeed(world, peer, {.count = 50}, 1min);
  world.expect(listener.of(What::kCreated) == 1, "created");
  world.expect(listener.of(What::kReceived) == 50 && listener.of(What::kSent) == 50, "received and sent");
  world.expect(server.services().broadcast({}, 0, {.action = "note"}, {}).has_value(), "not sent");
  world.expect(listener.of(What::kBroadcast) == 1 && listener.last.count == 1, "broadcast");
  world.expect(listener.of(What::kSent) == 51, "sent to one of many");

  world.network().blackhole(client, true);
  const host::SessionKey key = server.services().sessions({}).front().key;
  const auto asked = server.services().request(key, wire::Kind::kCommand, {.action = "ask", .timeout = 1s},
                                               [](const session::Reply&) {});
  world.expect(asked.has_value(), "not asked");
  world.run(2s);
  world.expect(listener.of(What::kPromiseTimeout) == 1 && listener.last.code == Code::kDeadlineExceeded, "promise");
  world.expect(world.run_until([&] { return listener.of(What::kParted) == 1; }, 10s), "parted");
  world.expect(listener.of(What::kHeartbeatTimeout) == 1 && listener.last.code == Code::kIdleTimeout, "heartbeat");
  world.network().blackhole(client, false);
  world.expect(world.run_until([&] { return listener.of(What::kResumed) == 1; }, 30s), "resumed");
  world.expect(listener.last.count == 1, "how often it was resumed");
  world.expect(world.run_until([&] { return peer.connected(); }, 10s), "not connected again");

  const bool mistake = world.seed() % 2 == 0;
  client.close(peer, mistake ? Code::kProtocolError : Code::kLoggedOut);
  world.expect(world.run_until([&] { return listener.of(What::kClosed) == 1; }, 10s), "closed");
  world.expect(listener.last.code == (mistake ? Code::kProtocolError : Code::kLoggedOut), "closed for another reason");
  world.expect(listener.of(What::kError) == (mistake ? 1 : 0), "error");
  world.run(1min);
  for (const What once : {What::kCreated, What::kHeartbeatTimeout, What::kParted, What::kResumed, What::kClosed,
                          What::kBroadcast, What::kPromiseTimeout})
    world.expect(listener.of(once) == 1, "told more than once");
  world.expect(listener.of(What::kReceived) == 50, "received is told of more than once");
}

}  // namespace godwit::sim

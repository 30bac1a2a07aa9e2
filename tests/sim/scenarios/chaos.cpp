#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {
namespace {

constexpr Duration kTrouble = 30s;
/// From the last fault to the last outcome: a client that left unnoticed is missed after 45 s, and its session waits 60
/// s.
constexpr Duration kHealed = 125s;

template <typename T, size_t N>
T pick(Prng& random, const std::array<T, N>& from) {
  return from[random.below(N)];
}

Conditions random_conditions(Prng& random) {
  const Duration delay = pick(random, std::array<Duration, 4>{500us, 20ms, 100ms, 375ms});
  return {
      .loss = pick(random, std::array{0.0, 0.01, 0.05, 0.1, 0.2, 0.3}),
      .burst = pick(random, std::array{1.0, 3.0}),
      .delay = delay,
      .jitter = pick(random, std::array<Duration, 2>{0ms, delay / 4}),
      .reorder = pick(random, std::array{0.0, 0.1, 0.25}),
      .duplicate = pick(random, std::array{0.0, 0.01, 0.1}),
      .corrupt = pick(random, std::array{0.0, 0.02, 0.3}),
      .mtu_bytes = pick(random, std::array<size_t, 4>{1228, 1280, 1300, 1500}),
      .rate_bytes_per_s = pick(random, std::array<uint64_t, 3>{0, 1'250'000, 32'000}),
  };
}

/// The server's process. Killed and started again it has other keys and knows nothing of before.
class Serving {
 public:
  Serving(World& world, const ServerNode::Options& options) : world_(world), options_(options) { start(); }

  ServerNode* node() { return node_ ? &*node_ : nullptr; }
  void pause(Duration duration) {
    if (node_) world_.pause(*node_, duration);
  }
  void kill(Duration down) {
    if (!node_) return;
    node_.reset();
    world_.after(down, [this] { start(); });
  }

 private:
  void start() {
    options_.first_sessions = &first_sessions_;
    node_.emplace(world_, options_);
    ++options_.life;
  }

  World& world_;
  ServerNode::Options options_;
  ServerNode::FirstSessions first_sessions_;
  std::optional<ServerNode> node_;
};

/// One client that connects, sends all kinds of messages and gets some, loses its connection, and goes on with its
/// session or with another one, until the trouble is over.
class Wanderer {
 public:
  Wanderer(World& world, Serving& server, uint8_t number, bool crashes)
      : world_(world),
        server_(server),
        random_(world.random()()),
        number_(number),
        crashes_(crashes),
        ends_(world.now() + kTrouble) {
    start();
    act();
    trouble();
  }

  void heal() { world_.network().set(*node_, {.delay = 20ms}); }
  bool decided() const { return peer_->state() != ClientPeer::State::kConnecting; }
  void stop() {
    if (peer_->connected()) node_->close(*peer_);
  }

 private:
  /// Half of them keep their sessions, and notice soon that a connection is lost.
  static ClientNode::Options options(uint8_t number, Prng& random) {
    ClientNode::Options options;
    options.number = number;
    options.core.keep_sessions = random.chance(0.5);
    options.redial_after = Duration(random.between(1, 3'000'000'000));
    return options;
  }

  /// Another process, which knows nothing of the last: another host, too, so that its clients have other names.
  void start() {
    node_.emplace(world_, options(number_, random_));
    number_ = static_cast<uint8_t>(number_ + 2);
    world_.network().set(*node_, random_conditions(random_));
    dial();
  }

  void dial() { peer_ = &node_->connect(20s); }

  void act() {
    if (world_.now() >= ends_) return;
    if (peer_->ended()) dial();
    for (uint64_t burst = random_.below(8); (peer_->connected() || peer_->parted()) && burst > 0; --burst) send();
    if (random_.chance(0.5) && server_.node())
      (void)server_.node()->push(peer_->client_id(), make_body(random_(), random_.below(300)));
    world_.after(Duration(random_.below(100'000'000)), [this] { act(); });
  }

  void send() {
    using Send = ClientPeer::Send;
    using session::Order;
    constexpr std::array<std::string_view, 6> kActions{"echo", "echo", "later", "sink", "fail", "nobody"};
    constexpr std::array kKinds{Send::Kind::kCommand, Send::Kind::kQuery, Send::Kind::kEvent,
                                Send::Kind::kEventUnheeded};
    constexpr std::array<size_t, 5> kSizes{0, 20, 2'000, 65'535, 200'000};
    const size_t bytes = random_.chance(0.9) ? random_.below(500) : random_.below(pick(random_, kSizes) + 1);
    const auto body = make_body(random_(), bytes);
    (void)peer_->send({.action = pick(random_, kActions),
                       .body = body,
                       .options = {.timeout = Duration(random_.between(1, 40) * 1'000'000'000),
                                   .order = random_.chance(0.8) ? Order::kOrdered : Order::kUnordered},
                       .kind = pick(random_, kKinds)});
  }

  /// Something happens to the path every few seconds.
  void trouble() {
    if (world_.now() >= ends_) return;
    const Duration spell(random_.below(6'000'000'000));
    switch (random_.below(crashes_ ? 14 : 12)) {
      case 0: world_.network().rebind(*node_, Network::Change::kPort); break;
      case 1: world_.network().rebind(*node_, Network::Change::kAddress); break;
      case 2: world_.network().set(*node_, random_conditions(random_)); break;
      case 3:
        world_.network().blackhole(*node_, true);
        world_.after(spell, [this] { world_.network().blackhole(*node_, false); });
        break;
      case 4: stop(); break;
      case 5: node_->migrate(*peer_); break;
      case 6: node_->update_keys(*peer_); break;
      case 7: world_.pause(*node_, spell); break;
      case 8:
        node_->block_sending(true);
        world_.after(spell / 2, [this] { node_->block_sending(false); });
        break;
      case 9: node_->drop(*peer_); break;
      case 12: start(); break;
      case 13: server_.kill(spell); break;
      default: break;
    }
    world_.after(Duration(random_.below(8'000'000'000)), [this] { trouble(); });
  }

  World& world_;
  Serving& server_;
  Prng random_;
  uint8_t number_;
  const bool crashes_;
  std::optional<ClientNode> node_;
  ClientPeer* peer_ = nullptr;
  const Timestamp ends_;
};

void expect_empty(World& world, ServerNode& server) {
  world.expect(world.run_until([&] { return server.core().endpoint().connection_count() == 0; }, 150s),
               "connections are left over");
  world.expect(world.run_until([&] { return server.core().session_count() == 0; }, 61s), "sessions are left over");
  world.expect(server.sessions().used() == 0, "places are left over");
  world.expect(server.metrics().sessions.value() == 0 && server.metrics().promises.value() == 0, "a gauge is not zero");
  world.expect(server.metrics().streams_open.value() == 0, "streams are left over");
}

void wander(World& world, bool crashes) {
  ServerNode::Options options;
  options.core.dispatcher.queue_messages_max = world.random().between(10, 1000);
  options.core.session.outbox_messages_max = world.random().between(20, 1000);
  options.core.session.holdback_messages_max = options.core.session.outbox_messages_max;
  options.core.dispatcher.turn_budget = pick(world.random(), std::array<Duration, 2>{1ms, 20ms});
  options.core.dispatcher.batch_messages_max = pick(world.random(), std::array<size_t, 2>{4, 64});
  options.core.session.heartbeat_interval = pick(world.random(), std::array<Duration, 2>{2s, 15s});
  options.core.session.resume_window = pick(world.random(), std::array<Duration, 3>{2s, 10s, 60s});
  options.handler_cost = pick(world.random(), std::array<Duration, 3>{0ms, 300us, 3ms});
  Serving server(world, options);
  std::deque<Wanderer> wanderers;
  for (uint8_t number = 1; number <= 2; ++number) wanderers.emplace_back(world, server, number, crashes);

  world.after(Duration(world.random().below(kTrouble.count())), [&] { server.pause(2s); });
  world.run(kTrouble);
  for (Wanderer& wanderer : wanderers) wanderer.heal();
  world.expect(world.run_until([&] { return server.node() != nullptr; }, 10s), "the server stays away");
  world.expect(
      world.run_until([&] { return world.ledger().open() == 0; }, kHealed),
      "P9: " + std::to_string(world.ledger().open()) + " messages have no outcome long after the network healed");
  world.ledger().finish();
  const auto decided = [](const Wanderer& wanderer) { return wanderer.decided(); };
  world.expect(world.run_until([&] { return std::all_of(wanderers.begin(), wanderers.end(), decided); }, 20s),
               "a client is still connecting");
  for (Wanderer& wanderer : wanderers) wanderer.stop();
  expect_empty(world, *server.node());
}

}  // namespace

void chaos(World& world) { wander(world, false); }

void crashes(World& world) { wander(world, true); }

}  // namespace godwit::sim

#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {
namespace {

using Kind = ClientPeer::Send::Kind;

constexpr int64_t kStreamsOfALink = 3;  ///< the control stream and a shared lane each way

/// Handshakes over bad links take long, and nobody is in a hurry.
template <typename Options>
Options patient() {
  Options options;
  options.transport.handshake_timeout = 60s;
  return options;
}

}  // namespace

void requests_loss20(World& world) {
  ServerNode server(world, patient<ServerNode::Options>());
  ClientNode client(world, patient<ClientNode::Options>());
  world.network().set(client, {.loss = 0.2, .delay = 50ms, .jitter = 20ms});
  ClientPeer& peer = connect(world, client);
  expect_all_succeed(world, peer, {.count = 10'000, .in_flight = 500, .send = {.options = {.timeout = 10min}}}, 1h);
  world.ledger().finish();
}

void sizes(World& world) {
  constexpr uint64_t kLast = 70'000, kStride = 16;
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.delay = 2ms});
  ClientPeer& peer = connect(world, client);
  const uint64_t first = world.seed() % kStride;
  expect_all_succeed(world, peer,
                     {.count = (kLast - first) / kStride + 1,
                      .in_flight = 64,
                      .body_bytes = [=](uint64_t index) { return first + index * kStride; },
                      .send = {.options = {.timeout = 10min}}},
                     1h);
  Prng random(world.seed());
  expect_all_succeed(world, peer,
                     {.count = 20,
                      .in_flight = 8,
                      .body_bytes = [&](uint64_t index) { return index == 0 ? 1 << 20 : random.below((1 << 20) + 1); },
                      .send = {.options = {.timeout = 10min}}},
                     1h);
  world.ledger().finish();
}

void weak_network(World& world) {
  ServerNode server(world, patient<ServerNode::Options>());
  ClientNode client(world, patient<ClientNode::Options>());
  world.network().set(client, {.loss = 0.2, .delay = 325ms, .jitter = 175ms, .rate_bytes_per_s = 128'000});
  ClientPeer& peer = connect(world, client, 60s);
  const ClientPeer::Send patient{.options = {.timeout = 3h}};
  expect_all_succeed(world, peer, {.count = 100, .in_flight = 1, .send = patient}, 1h);
  expect_all_succeed(world, peer, {.count = 10'000, .in_flight = 900, .send = patient}, 2h);
  expect_all_succeed(world, peer, {.count = 1, .body_bytes = [](uint64_t) { return 1 << 20; }, .send = patient}, 3h);
  world.ledger().finish();
}

void fire_and_forget(World& world) {
  constexpr uint64_t kEvents = 100'000, kLargeEvents = 200;
  ServerNode server(world);
  ClientNode client(world);
  world.network().set(client, {.delay = 5ms});
  ClientPeer& peer = connect(world, client);
  const std::vector<uint8_t> large = make_body(world.seed(), 70'000);
  const auto send = [&](Bytes body) {
    return peer.send({.action = "sink", .body = body, .kind = Kind::kEventUnheeded}).has_value();
  };
  uint64_t sent = 0;
  while (sent < kEvents && world.ok()) {
    const Bytes body = sent % (kEvents / kLargeEvents) == 0 ? Bytes(large) : Bytes();
    if (send(body)) {
      ++sent;
    } else {
      world.run(5ms);
    }
  }
  world.expect(world.run_until([&] { return world.ledger().handled() == kEvents; }, 10s), "an event was not handled");
  world.run(5s);
  world.expect(client.metrics().promises_created.value() == 0, "an event made a promise");
  for (Node* node : {static_cast<Node*>(&server), static_cast<Node*>(&client)}) {
    const int64_t streams = node->metrics().streams_open.value();
    world.expect(streams == kStreamsOfALink, std::to_string(streams) + " streams are open at the " + node->name());
  }
  world.expect(client.core().session(peer.id())->outbox().messages() == 0, "the outbox is not empty");
  world.expect(!peer.ended(), "the session died");
}

}  // namespace godwit::sim

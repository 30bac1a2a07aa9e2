#include "load.h"
#include "raw_client_node.h"
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

namespace {

std::vector<uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// By number, something that is not one unreliable event, and what it is called.
std::pair<std::vector<uint8_t>, Code> break_datagram(wire::Codec& codec, uint64_t number) {
  const wire::Envelope event{.kind = wire::Kind::kEvent, .flags = wire::flags::kUnreliable, .action = "sink"};
  std::vector<uint8_t> whole = copy(*codec.encode_message(event, 0));
  wire::Envelope numbered = event, command = event, reliable = event;
  numbered.seq = 1;
  command.kind = wire::Kind::kCommand;
  reliable.flags = 0;
  switch (number % 7) {
    case 0: return {{}, Code::kFrameMalformed};
    case 1: whole.pop_back(); return {whole, Code::kFrameMalformed};
    case 2: whole.push_back(0); return {whole, Code::kFrameMalformed};
    case 3: return {copy(codec.encode(wire::Ping{1})), Code::kFrameUnknown};
    case 4: return {copy(*codec.encode_message(numbered, 0)), Code::kSequenceInvalid};
    case 5: return {copy(*codec.encode_message(command, 0)), Code::kSequenceInvalid};
    default: return {copy(*codec.encode_message(reliable, 0)), Code::kSequenceInvalid};
  }
}

}  // namespace

void broken_datagrams(World& world) {
  ServerNode server(world);
  RawClientNode client(world);
  world.network().set(client, {.delay = 10ms});
  const auto [bytes, code] = break_datagram(client.codec(), world.seed());
  client.datagram = bytes;
  client.connect(RawClientNode::Behaviour::kSendsDatagram);
  world.expect(world.run_until([&] { return client.closed().has_value(); }, 10s), "the connection lives");
  if (!world.ok()) return;
  world.expect(client.closed()->app_error == quic::to_app_error(code), "closed with another code than the fault's");
  world.expect(world.ledger().handled_unreliable() == 0, "it was handled");
  world.expect(world.run_until([&] { return server.sessions().used() == 0; }, 10s), "the session holds its place");
}

void datagrams(World& world) {
  constexpr uint64_t kDatagrams = 5'000, kRequests = 2'000;
  ServerNode server(world, patient<ServerNode::Options>());
  ClientNode client(world, patient<ClientNode::Options>());
  ClientPeer& peer = connect(world, client);
  world.network().set(client, {.loss = 0.1, .delay = 10ms, .jitter = 3ms});
  Load ordered(world, peer, {.count = kRequests, .in_flight = 20, .send = {.options = {.timeout = 10min}}});
  ordered.pump();
  for (uint64_t i = 0; i < kDatagrams && world.ok(); ++i) {
    const std::vector<uint8_t> body = make_body(world.seed() + i, 100);
    const auto sent = peer.send(
        {.action = "sink", .body = body, .options = {.order = session::Order::kUnreliable}, .kind = Kind::kEvent});
    world.expect(sent.has_value(), "an unreliable event was refused");
    world.run(2ms);
  }
  world.expect(world.run_until([&] { return ordered.done(); }, 10min), "a request was left unanswered");
  world.run(5s);
  world.expect(world.ledger().succeeded() == kRequests, "an ordered message was lost");
  const double arrived = static_cast<double>(world.ledger().handled_unreliable()) / kDatagrams;
  world.expect(arrived > 0.87 && arrived < 0.93, "of the unreliable events arrived " + std::to_string(arrived));
  const auto too_large = make_body(1, 2'000);
  const auto refused = peer.send(
      {.action = "sink", .body = too_large, .options = {.order = session::Order::kUnreliable}, .kind = Kind::kEvent});
  world.expect(!refused && refused.error().code == Code::kMessageTooLarge, "more than a packet holds was taken");
  world.expect(!peer.ended(), "the session died");
  world.ledger().finish();
}

}  // namespace godwit::sim

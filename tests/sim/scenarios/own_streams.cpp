#include <algorithm>

#include "load.h"
#include "raw_client_node.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {

void stream_limit(World& world) {
  ServerNode::Options options;
  options.transport.max_streams_uni = 4;
  ServerNode server(world, options);
  ClientNode::Options client_options;
  client_options.transport.max_streams_uni = 3;
  ClientNode client(world, client_options);
  world.network().set(client, {.loss = 0.05, .delay = 20ms, .jitter = 10ms});
  ClientPeer& peer = connect(world, client);
  expect_all_succeed(world, peer,
                     {.count = 200,
                      .in_flight = 25,
                      .body_bytes = [](uint64_t) { return 65'536; },
                      .send = {.options = {.timeout = 10min}}},
                     20min);
  world.ledger().finish();
}

void broken_bodies(World& world) {
  ServerNode server(world);
  RawClientNode client(world);
  world.network().set(client, {.loss = 0.05, .delay = 10ms, .jitter = 10ms});
  client.connect(RawClientNode::Behaviour::kBreaksBodies);
  world.expect(world.run_until([&] { return client.acknowledged() == 4; }, 10s),
               "the messages behind are still waiting");
  const std::map<uint64_t, Code> expected{
      {1, Code::kFrameTruncated}, {2, Code::kFrameMalformed}, {3, Code::kCancelled}};
  world.expect(client.refused() == expected, "refused with other codes than those of the faults");
  world.expect(world.ledger().handled() == 1, "a broken message was handled, or the whole one was not");
  world.expect(!client.closed(), "the connection was closed");
}

void unknown_streams(World& world) {
  ServerNode server(world);
  RawClientNode client(world);
  world.network().set(client, {.loss = 0.05, .delay = 10ms, .jitter = 10ms});
  client.connect(RawClientNode::Behaviour::kOpensUnknown);
  world.expect(world.run_until([&] { return client.streams_closed() == 2; }, 10s), "a stream was not refused");
  // What the server sends on a stream is reset; of what it was to read it only wants no more.
  const std::map<quic::StreamId, uint64_t> expected{{4, quic::to_app_error(Code::kStreamTypeUnknown)}};
  world.expect(client.resets() == expected, "not reset, or with another code");
  world.expect(world.run_until([&] { return client.acknowledged() == 1; }, 10s), "the message behind was not handled");
  world.run(2s);
  world.expect(!client.closed(), "the connection was closed");
  // The control stream, and a shared lane each way.
  world.expect(server.metrics().streams_open.value() == 3, "a refused stream is still open");
}

void lost_heads(World& world) {
  const bool resets = world.seed() % 2 == 0;
  ServerNode server(world);
  RawClientNode client(world);
  world.network().set(client, {.loss = 0.05, .delay = 10ms, .jitter = 10ms});
  client.connect(resets ? RawClientNode::Behaviour::kResetsHead : RawClientNode::Behaviour::kCutsHead);
  world.expect(world.run_until([&] { return client.closed().has_value(); }, 10s),
               "a number is missing for ever, and the connection lives");
  if (!world.ok()) return;
  const Code code = resets ? Code::kProtocolError : Code::kFrameTruncated;
  world.expect(client.closed()->app_error == quic::to_app_error(code), "closed with another code than the fault's");
  world.expect(world.ledger().handled() == 0, "a message was handled before the one that it must follow");
  world.expect(world.run_until([&] { return server.sessions().used() == 0; }, 10s), "the session holds its place");
}

void body_room(World& world) {
  constexpr uint64_t kRoomBytes = 2 << 20;
  ServerNode::Options options;
  options.core.session.arriving_bytes_max = kRoomBytes;
  ServerNode server(world, options);
  ClientNode client(world);
  world.network().set(client, {.loss = 0.02, .delay = 10ms, .jitter = 5ms});
  ClientPeer& peer = connect(world, client);
  Load load(world, peer,
            {.count = 100,
             .in_flight = 20,
             .body_bytes = [](uint64_t index) { return size_t{64 * 1024} << index % 5; },
             .send = {.options = {.timeout = 10min}}});
  load.pump();
  int64_t most = 0;
  world.run_until(
      [&] {
        most = std::max(most, server.metrics().arriving_bytes.value());
        return load.done() || peer.ended();
      },
      10min);
  world.expect(load.done() && world.ledger().succeeded() == 100, "not every message succeeded");
  world.expect(most == kRoomBytes, "the room was not used, or exceeded: " + std::to_string(most));
  world.expect(server.metrics().bodies_held.value() > 0, "nobody had to wait");
  world.expect(server.metrics().arriving_bytes.value() == 0, "room was not given back");
  world.ledger().finish();
}

void hoarded_bodies(World& world) {
  constexpr uint64_t kBodyBytes = 1 << 20;
  ServerNode server(world);
  RawClientNode client(world);
  world.network().set(client, {.delay = 5ms});
  client.connect(RawClientNode::Behaviour::kHoardsBodies);
  world.run(20s);
  world.expect(!client.closed(), "the connection was closed");
  world.expect(world.ledger().handled() == 1, "the small message waits behind bodies");
  const quic::TransportConfig transport;
  const uint64_t room = session::SessionConfig().arriving_bytes_max;
  const uint64_t waiting = RawClientNode::kHoards - room / kBodyBytes;
  const uint64_t bytes_max = room + waiting * transport.new_stream_window_bytes;
  const uint64_t bytes = server.metrics().packet_bytes_received.value();
  world.expect(bytes < bytes_max + bytes_max / 10, "the server took " + std::to_string(bytes) + " bytes of bodies");
  world.expect(server.metrics().bodies_held.value() == waiting, "another number of bodies waits");
  client.finish_bodies();
  world.expect(world.run_until([&] { return client.acknowledged() == RawClientNode::kHoards + 1; }, 1min),
               "a body that waited was forgotten");
  world.expect(world.ledger().handled() == RawClientNode::kHoards + 1, "a body that waited was not handled");
  world.expect(server.metrics().arriving_bytes.value() == 0, "room was not given back");
}

}  // namespace godwit::sim

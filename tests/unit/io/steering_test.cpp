#include "io/steering.h"

#include "udp_fixture.h"

using namespace godwit;
using namespace godwit::io;

namespace {

std::string long_header(uint8_t first_cid_byte) {
  return std::string("\xc0\0\0\0\x01\x08", 6) + static_cast<char>(first_cid_byte) + std::string(30, 'x');
}

std::string short_header(uint8_t first_cid_byte) {
  return std::string("\x40", 1) + static_cast<char>(first_cid_byte) + std::string(30, 'x');
}

}  // namespace

TEST_CASE("the kernel hands each datagram to the worker that its connection id names") {
  constexpr int kWorkers = 3;
  RunningLoop loop;
  std::vector<std::unique_ptr<Peer>> workers;
  workers.push_back(std::make_unique<Peer>(loop, "127.0.0.1:0", UdpOptions{.reuse_port = true}));
  const SocketAddress shared = workers[0]->socket->local();
  for (int i = 1; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Peer>(loop, shared.to_string().c_str(), UdpOptions{.reuse_port = true}));
  }
  REQUIRE(steer_by_connection_id(workers[0]->socket->descriptor(), kWorkers));

  // From many ports: without steering the kernel would spread these by the hash of the address.
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<Peer>(loop, "127.0.0.1:0"));
  for (int cid = 0; cid < 256; ++cid) {
    clients[cid % 8]->send(shared, long_header(static_cast<uint8_t>(cid)));
    clients[cid % 8]->send(shared, short_header(static_cast<uint8_t>(cid)));
  }
  const auto received = [&] {
    size_t sum = 0;
    for (const auto& worker : workers) sum += worker->inbox.bytes;
    return sum;
  };
  REQUIRE(loop.until([&] { return received() == 256 * (37 + 32); }));

  for (int i = 0; i < kWorkers; ++i) {
    for (const auto& message : workers[i]->inbox.messages) {
      const bool is_long = message.payload[0] & 0x80;
      REQUIRE(static_cast<uint8_t>(message.payload[is_long ? 6 : 1]) % kWorkers == i);
    }
  }
}

TEST_CASE("datagrams too short for a connection id go to the first worker") {
  RunningLoop loop;
  Peer first(loop, "127.0.0.1:0", {.reuse_port = true});
  const SocketAddress shared = first.socket->local();
  Peer second(loop, shared.to_string().c_str(), {.reuse_port = true});
  REQUIRE(steer_by_connection_id(first.socket->descriptor(), 2));
  Peer client(loop, "127.0.0.1:0");
  for (const char* text : {"\x40", "\xc0\x01\x01"}) client.send(shared, text);
  REQUIRE(loop.until([&] { return first.inbox.messages.size() == 2; }));
  REQUIRE(second.inbox.messages.empty());
}

TEST_CASE("steering a socket that shares its address with nobody is refused") {
  RunningLoop loop;
  const Peer alone(loop, "127.0.0.1:0");
  const Status status = steer_by_connection_id(alone.socket->descriptor(), 2);
  REQUIRE_FALSE(status);
  REQUIRE(status.error().code == Code::kSocketFailed);
}

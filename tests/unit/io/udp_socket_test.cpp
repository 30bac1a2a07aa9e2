#include "io/udp_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include "udp_fixture.h"

using namespace godwit;
using namespace godwit::io;

TEST_CASE("a datagram arrives with its path") {
  for (const char* host : {"127.0.0.1:0", "[::1]:0"}) {
    CAPTURE(host);
    RunningLoop loop;
    Peer server(loop, host), client(loop, host);
    REQUIRE(server.socket->local().port() != 0);

    REQUIRE(client.send(server.socket->local(), "hello") == SendOutcome::kSent);
    REQUIRE(server.inbox.messages.empty());
    REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
    const auto& message = server.inbox.messages[0];
    REQUIRE(message.payload == "hello");
    REQUIRE(message.segment_bytes == 5);
    REQUIRE(message.path == NetworkPath{server.socket->local(), client.socket->local()});
  }
}

TEST_CASE("many datagrams sent as one arrive whole, in order and still apart") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const std::string payload = pattern_of(20 * 1350 + 77);
  REQUIRE(client.send(server.socket->local(), payload, 1350) == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return server.inbox.bytes == payload.size(); }));
  REQUIRE(joined(server.inbox) == payload);
  REQUIRE(server.inbox.messages.size() == 1);  // joined again on arrival
  REQUIRE(server.inbox.messages[0].segment_bytes == 1350);
}

TEST_CASE("without segmentation or coalescing the same bytes arrive one by one") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0", {.coalescing = false});
  Peer client(loop, "127.0.0.1:0", {.segmentation = false});
  REQUIRE_FALSE(client.socket->segmentation());
  const std::string payload = pattern_of(40 * 1350 + 77);
  REQUIRE(client.send(server.socket->local(), payload, 1350) == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return server.inbox.bytes == payload.size(); }));
  REQUIRE(joined(server.inbox) == payload);
  REQUIRE(server.inbox.messages.size() == 41);
  REQUIRE(server.inbox.messages[40].segment_bytes == 77);
  REQUIRE(client.log.messages.empty());
}

TEST_CASE("payloads beyond what the kernel takes in one call are split between datagrams") {
  const size_t segment = GENERATE(as<size_t>(), 1, 100, 1200, 1452, 32753, 65507);
  CAPTURE(segment);
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const std::string payload = pattern_of(std::min<size_t>(segment * 150, 300'000));
  REQUIRE(client.send(server.socket->local(), payload, segment) == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return server.inbox.bytes == payload.size(); }));
  REQUIRE(joined(server.inbox) == payload);
  REQUIRE(client.socket->counts().datagrams_lost.value() == 0);
}

TEST_CASE("an answer leaves from the address that was asked") {
  RunningLoop loop;
  Peer server(loop, "0.0.0.0:0"), client(loop, "127.0.0.1:0");
  SocketAddress asked = address("127.0.0.2:0");
  asked.set_port(server.socket->local().port());

  client.send(asked, "question");
  REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
  const NetworkPath path = server.inbox.messages[0].path;
  REQUIRE(path.local == asked);

  server.send_from(path.local, path.remote, "answer");
  REQUIRE(loop.until([&] { return !client.inbox.messages.empty(); }));
  REQUIRE(client.inbox.messages[0].path.remote == asked);
}

TEST_CASE("a dual socket answers both families from the address that was asked") {
  RunningLoop loop;
  Peer server(loop, "[::]:0");
  const uint16_t port = server.socket->local().port();
  for (const char* host : {"127.0.0.3:0", "[::1]:0"}) {
    CAPTURE(host);
    server.inbox.messages.clear();
    Peer client(loop, address(host).family() == AF_INET ? "127.0.0.1:0" : "[::1]:0");
    SocketAddress asked = address(host);
    asked.set_port(port);
    client.send(asked, "question", 0, 1);
    REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
    REQUIRE(server.inbox.messages[0].ecn == 1);

    const NetworkPath path = server.inbox.messages[0].path;
    REQUIRE(path.local.family() == AF_INET6);
    server.send_from(path.local, path.remote, "answer", 3, 2);
    REQUIRE(loop.until([&] { return client.inbox.bytes == 6; }));
    REQUIRE(client.inbox.messages[0].path.remote == asked);
    REQUIRE(client.inbox.messages[0].ecn == 2);
  }
}

TEST_CASE("a socket on [::] that is not dual does not hear IPv4") {
  RunningLoop loop;
  Peer server(loop, "[::]:0", {.dual_stack = false}), client(loop, "127.0.0.1:0"), client6(loop, "[::1]:0");
  SocketAddress v4 = address("127.0.0.1:0"), v6 = address("[::1]:0");
  v4.set_port(server.socket->local().port());
  v6.set_port(server.socket->local().port());
  client.send(v4, "four");
  client6.send(v6, "six");
  REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
  loop.for_a_while(2ms);
  REQUIRE(joined(server.inbox) == "six");
}

TEST_CASE("the ECN bits pass in both families, for one datagram and for many") {
  for (const char* host : {"127.0.0.1:0", "[::1]:0"}) {
    for (const uint8_t ecn : {0, 1, 2, 3}) {
      for (const size_t segments : {1, 5}) {
        CAPTURE(host, int{ecn}, segments);
        RunningLoop loop;
        Peer server(loop, host), client(loop, host);
        const std::string payload = pattern_of(100 * segments);
        client.send(server.socket->local(), payload, 100, ecn);
        REQUIRE(loop.until([&] { return server.inbox.bytes == payload.size(); }));
        for (const auto& message : server.inbox.messages) REQUIRE(message.ecn == ecn);
      }
    }
  }
}

TEST_CASE("empty datagrams are counted and not passed on") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const int plain = socket(AF_INET, SOCK_DGRAM, 0);
  REQUIRE(sendto(plain, "", 0, 0, server.socket->local().raw(), server.socket->local().length()) == 0);
  close(plain);
  client.send(server.socket->local(), "x");
  REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
  REQUIRE(joined(server.inbox) == "x");
  REQUIRE(server.socket->counts().datagrams_bad.value() == 1);
}

TEST_CASE("what can not be delivered is lost without an error and without harm") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const std::string too_long = pattern_of(65'508);
  REQUIRE(client.send(server.socket->local(), too_long) == SendOutcome::kSent);
  REQUIRE(client.socket->counts().datagrams_lost.value() == 1);

  SocketAddress closed = address("127.0.0.1:0");
  {
    const Peer gone(loop, "127.0.0.1:0");
    closed = gone.socket->local();
  }
  for (int i = 0; i < 3; ++i) REQUIRE(client.send(closed, "anybody there") == SendOutcome::kSent);
  loop.for_a_while(2ms);
  client.send(server.socket->local(), "still alive");
  REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
}

TEST_CASE("an address in use and an address of others are refused by name") {
  RunningLoop loop;
  Peer first(loop, "127.0.0.1:0");
  Inbox inbox;
  KeptLog log;
  const auto second = UdpSocket::open(*loop, {.bind = first.socket->local()}, inbox, Log(log, "udp"));
  REQUIRE_FALSE(second);
  REQUIRE(second.error().code == Code::kSocketFailed);
  REQUIRE(second.error().text == "bind " + first.socket->local().to_string() + ": Address already in use");
}

TEST_CASE("the sizes of the kernel's buffers are told as they were got") {
  RunningLoop loop;
  const Peer peer(loop, "127.0.0.1:0", {.receive_buffer_bytes = 64 * 1024, .send_buffer_bytes = 32 * 1024});
  REQUIRE(peer.socket->receive_buffer_bytes() == 64 * 1024);
  REQUIRE(peer.socket->send_buffer_bytes() == 32 * 1024);
}

TEST_CASE("the local address towards a remote one is known without sending") {
  REQUIRE(local_address_towards(address("127.0.0.9:1"))->to_string() == "127.0.0.1:0");
  REQUIRE(local_address_towards(address("[::1]:1"))->to_string() == "[::1]:0");
}

TEST_CASE("a busy-polling loop hears its sockets") {
  RunningLoop loop({.busy_poll = {.enabled = true}});
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  for (size_t round = 1; round <= 100; ++round) {
    client.send(server.socket->local(), "ping");
    REQUIRE(loop.until([&] { return server.inbox.messages.size() == round; }));
  }
}

TEST_CASE("sockets that come and go leave no descriptors behind") {
  const auto lowest_free = [] {
    const int fd = open("/dev/null", O_RDONLY);
    close(fd);
    return fd;
  };
  const int before = lowest_free();
  for (int i = 0; i < 20; ++i) {
    RunningLoop loop;
    Peer one(loop, "127.0.0.1:0"), two(loop, "127.0.0.1:0");
    one.send(two.socket->local(), "x");
    REQUIRE(loop.until([&] { return !two.inbox.messages.empty(); }));
  }
  REQUIRE(lowest_free() <= before + 3);  // libuv keeps its signal pipe
}

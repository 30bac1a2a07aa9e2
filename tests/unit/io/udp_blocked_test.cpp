#include <cerrno>

#include "intercepted_sendmsg.h"
#include "udp_fixture.h"

using namespace godwit;
using namespace godwit::io;

TEST_CASE("a full socket takes nothing, and says when it takes again") {
  const int error = GENERATE(EAGAIN, ENOBUFS);
  CAPTURE(error);
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const ScriptedSendmsg script({error});
  REQUIRE(client.send(server.socket->local(), "first") == SendOutcome::kBlocked);
  REQUIRE(client.send(server.socket->local(), "second") == SendOutcome::kBlocked);
  REQUIRE(script.calls() == 1);  // a blocked socket does not bother the kernel
  REQUIRE(client.inbox.writable == 0);

  REQUIRE(loop.until([&] { return client.inbox.writable == 1; }));
  REQUIRE(client.socket->counts().blocked.value() == 1);
  REQUIRE(client.send(server.socket->local(), "third") == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return !server.inbox.messages.empty(); }));
  REQUIRE(joined(server.inbox) == "third");
  REQUIRE(client.inbox.writable == 1);
}

TEST_CASE("a kernel without buffers is asked again after a while and not in between") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const ScriptedSendmsg script({ENOBUFS, ENOBUFS, ENOBUFS});
  const Timestamp start = loop->now();
  SendOutcome last = client.send(server.socket->local(), "x");
  int seen = 0;
  REQUIRE(loop.until([&] {
    if (client.inbox.writable > seen) {
      seen = client.inbox.writable;
      last = client.send(server.socket->local(), "x");
    }
    return last == SendOutcome::kSent;
  }));
  REQUIRE(script.calls() == 4);
  REQUIRE(loop->now() - start >= 3ms);
  REQUIRE(loop.metrics().loop_iterations.value() < 30);
}

TEST_CASE("a payload that was blocked halfway is finished before anything else goes out") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0", {.segmentation = false});
  const std::string payload = pattern_of(1000);
  const ScriptedSendmsg script({0, 0, EAGAIN, ENOBUFS, 0, EAGAIN});
  REQUIRE(client.send(server.socket->local(), payload, 100) == SendOutcome::kSent);
  REQUIRE(client.send(server.socket->local(), "later") == SendOutcome::kBlocked);
  REQUIRE(client.inbox.writable == 0);

  REQUIRE(loop.until([&] { return client.inbox.writable == 1; }));
  REQUIRE(client.send(server.socket->local(), "later") == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return server.inbox.bytes == payload.size() + 5; }));
  REQUIRE(joined(server.inbox) == payload + "later");
}

TEST_CASE("a system that can not segment is found out once, and nothing is lost") {
  const int error = GENERATE(EIO, EINVAL);
  CAPTURE(error);
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  REQUIRE(client.socket->segmentation());
  const std::string payload = pattern_of(1000);
  {
    const ScriptedSendmsg script({error});
    REQUIRE(client.send(server.socket->local(), payload, 100) == SendOutcome::kSent);
    REQUIRE(script.calls() == 11);
  }
  REQUIRE_FALSE(client.socket->segmentation());
  REQUIRE(client.log.messages.size() == 1);

  REQUIRE(client.send(server.socket->local(), payload, 100) == SendOutcome::kSent);
  REQUIRE(loop.until([&] { return server.inbox.bytes == 2 * payload.size(); }));
  REQUIRE(joined(server.inbox) == payload + payload);
  REQUIRE(client.log.messages.size() == 1);
}

TEST_CASE("a batch refused for another reason than segmentation does not switch it off") {
  RunningLoop loop;
  Peer server(loop, "127.0.0.1:0"), client(loop, "127.0.0.1:0");
  const std::string payload = pattern_of(1000);
  {
    const ScriptedSendmsg script({EINVAL, EINVAL});  // the batch, and its first datagram alone
    REQUIRE(client.send(server.socket->local(), payload, 100) == SendOutcome::kSent);
  }
  {
    const ScriptedSendmsg script({EPERM});
    REQUIRE(client.send(server.socket->local(), payload, 100) == SendOutcome::kSent);
    REQUIRE(script.calls() == 1);
  }
  REQUIRE(client.socket->segmentation());
  REQUIRE(client.log.messages.empty());
  REQUIRE(client.socket->counts().datagrams_lost.value() == 2);
}

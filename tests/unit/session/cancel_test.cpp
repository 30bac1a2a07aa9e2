// Requests that their caller withdraws: what of that reaches the other side, and when.
#include <catch2/catch.hpp>

#include "two_sessions.h"

using namespace godwit;
using testing::TwoSessions;
using wire::Kind;

namespace {

struct Pair : TwoSessions {
  Pair() { keep_messages(); }
  uint64_t request(std::string_view action, uint64_t cookie) {
    const auto sent = client->session.request(Kind::kCommand, action, as_bytes("body"), {.timeout = 1h},
                                              client->waiter.cookie(cookie));
    REQUIRE(sent);
    return *sent;
  }
};

}  // namespace

TEST_CASE("a cancel that overtakes its request keeps it from every handler, and nothing waits behind it") {
  Pair pair;
  pair.client->delay = [](const wire::Envelope& envelope) { return envelope.action == "late" ? 20ms : 1ms; };
  const uint64_t late = pair.request("late", 1);
  pair.request("next", 2);
  pair.run(5ms);
  CHECK(pair.client->session.cancel(late));
  CHECK(pair.client->waiter.outcomes[1].code == Code::kCancelled);
  pair.run(5ms);
  CHECK(pair.server->arrived.empty());
  pair.run(100ms);
  CHECK(pair.server->arrived == std::vector<std::string>{"next"});
  CHECK(pair.client->session.outbox().unsettled() == 0);
  CHECK(pair.server->metrics.messages_dropped[static_cast<size_t>(DropReason::kCancelled)].value() == 1);
}

TEST_CASE("a cancel of what was handed on is told to its owner alone, and later requests are none of its business") {
  Pair pair;
  pair.server->knows_cancelled = GENERATE(true, false);
  const uint64_t first = pair.request("first", 1);
  pair.run(10ms);
  CHECK(pair.client->session.cancel(first));
  pair.run(10ms);
  pair.request("second", 2);
  pair.run(100ms);
  CHECK(pair.server->cancelled == std::vector<uint64_t>{first});
  CHECK(pair.server->arrived == std::vector<std::string>{"first", "second"});
}

TEST_CASE("what is cancelled without a connection is never handled, and what was handled before is told then") {
  Pair pair;
  const uint64_t handled = pair.request("handled", 1);
  pair.run(100ms);
  const uint64_t lost = pair.request("lost", 2);
  pair.cut();
  const uint64_t kept = pair.request("kept", 3);
  pair.request("wanted", 4);
  for (const uint64_t id : {handled, lost, kept}) CHECK(pair.client->session.cancel(id));
  for (const uint64_t cookie : {1, 2, 3}) CHECK(pair.client->waiter.outcomes[cookie].code == Code::kCancelled);
  pair.rejoin();
  pair.run(1s);
  CHECK(pair.server->arrived == std::vector<std::string>{"handled", "wanted"});
  CHECK(pair.server->cancelled.front() == handled);
  CHECK(pair.client->session.outbox().unsettled() == 0);
}

TEST_CASE("a cancel that is lost with its connection is said again on the next one") {
  Pair pair;
  const uint64_t request = pair.request("long", 1);
  pair.run(100ms);
  CHECK(pair.client->session.cancel(request));
  pair.cut();
  CHECK(pair.server->cancelled.empty());
  pair.rejoin();
  pair.run(10ms);
  CHECK(pair.server->cancelled == std::vector<uint64_t>{request});
}

TEST_CASE("cancels of requests that never come are remembered in bounds") {
  Pair pair;
  for (uint64_t id = 1; id <= 5000; ++id) pair.server->session.receive_cancel(100'000 + id);
  // The oldest are forgotten: a request of that number is handled like any other.
  const uint64_t request = pair.request("first", 1);
  pair.run(10ms);
  CHECK(request == 1);
  CHECK(pair.server->arrived == std::vector<std::string>{"first"});
}

// Sessions that outlive their connections: what is lost with a connection, and what must not be.

#include <catch2/catch.hpp>
#include <set>

#include "base/prng.h"
#include "session/session.h"
#include "two_sessions.h"

using namespace godwit;
using session::SendOptions;
using testing::TwoSessions;
using wire::Kind;

namespace {

/// Two sessions that keep their messages.
struct Pair : TwoSessions {
  explicit Pair(const session::SessionConfig& config = {}) : TwoSessions(config) { keep_messages(); }
};

Result<uint64_t> event(TwoSessions::Side& side, std::string_view action, uint64_t cookie,
                       const SendOptions& options = {.timeout = 1h}) {
  return side.session.send_event(action, {}, options, side.waiter.cookie(cookie));
}

}  // namespace

TEST_CASE(
    "a session that keeps nothing takes nothing while it has no connection; another takes it and sends it later") {
  TwoSessions poor;
  poor.cut();
  CHECK(event(*poor.client, "a", 1).error().code == Code::kConnectionLost);

  Pair pair;
  pair.cut();
  REQUIRE(event(*pair.client, "a", 1));
  REQUIRE(event(*pair.server, "b", 1));
  pair.run(10ms);
  CHECK(pair.server->arrived.empty());
  pair.rejoin();
  pair.run(10ms);
  CHECK(pair.server->arrived == std::vector<std::string>{"a"});
  CHECK(pair.client->arrived == std::vector<std::string>{"b"});
  CHECK(pair.client->waiter.outcomes[1].status == wire::Status::kSuccess);
}

TEST_CASE("what cannot be sent is refused at once, also without a connection") {
  Pair pair;
  pair.cut();
  CHECK(event(*pair.client, "", 1).error().code == Code::kActionInvalid);
  const std::vector<uint8_t> large((1 << 20) + 1);
  CHECK(pair.client->session.send_event("a", large, {}, {}).error().code == Code::kMessageTooLarge);
  REQUIRE(event(*pair.client, "a", 2));
  pair.rejoin();
  pair.run(10ms);
  CHECK(pair.server->arrived == std::vector<std::string>{"a"});
}

TEST_CASE("nothing is sent again on a living connection, and only the rest on another one") {
  Pair pair;
  for (uint64_t i = 1; i <= 10; ++i) REQUIRE(event(*pair.client, "e", i));
  pair.run(100ms);
  CHECK(pair.client->sent.size() == 10);
  for (uint64_t i = 11; i <= 20; ++i) REQUIRE(event(*pair.client, "e", i));
  pair.cut();
  pair.client->sent.clear();
  pair.rejoin();
  pair.run(100ms);
  CHECK(pair.client->sent == std::vector<uint64_t>{11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  CHECK(pair.server->arrived.size() == 20);
  CHECK(pair.client->metrics.messages_resent.value() == 10);
}

TEST_CASE("an event that was refused counts as refused although the refusal was lost with its connection") {
  Pair pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.refuse(envelope.seq, Code::kHandlerNotFound, "nobody");
  };
  pair.server->ack_travel = 1h;  // never arrives
  REQUIRE(event(*pair.client, "e", 1));
  pair.run(100ms);
  REQUIRE(pair.server->acks.size() == 1);
  CHECK_FALSE(pair.client->waiter.settled(1));
  pair.cut();
  pair.server->ack_travel = 1ms;
  pair.rejoin();
  pair.run(100ms);
  CHECK(pair.client->waiter.outcomes[1].code == Code::kHandlerNotFound);
  CHECK(pair.server->arrived.size() == 1);
}

TEST_CASE("more refusals than one acknowledgement holds, all lost with their connection, are all heard as refusals") {
  Pair pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.refuse(envelope.seq, Code::kHandlerNotFound, "nobody");
  };
  pair.server->ack_travel = 1h;
  for (uint64_t i = 1; i <= 200; ++i) REQUIRE(event(*pair.client, "e", i));
  pair.run(100ms);
  pair.cut();
  pair.server->ack_travel = 1ms;
  pair.rejoin();
  pair.run(100ms);
  for (uint64_t i = 1; i <= 200; ++i) CHECK(pair.client->waiter.outcomes[i].code == Code::kHandlerNotFound);
}

TEST_CASE("a session that had no room for a reply without a connection cannot go on, and says so") {
  Pair pair({.outbox_messages_max = 2, .holdback_messages_max = 2});
  std::vector<uint64_t> waiting;
  pair.client->session.limit_outbox_messages(100);
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.handled(envelope.seq);
    waiting.push_back(envelope.message_id());
  };
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pair.client->session.request(Kind::kCommand, "act", {}, {.timeout = 1h}, {}));
    pair.run(100ms);
  }
  pair.cut();
  for (int i = 0; i < 2; ++i) REQUIRE(event(*pair.server, "news", i));
  for (const uint64_t id : waiting)
    REQUIRE(pair.server->session.respond(id, {wire::Status::kSuccess, Code::kOk, {}, {}, {}}));
  const session::Resync of_client = pair.client->session.resync();
  CHECK(pair.server->session.check(of_client));
  CHECK_FALSE(pair.server->session.respond(99, {wire::Status::kSuccess, Code::kOk, {}, {}, {}}));
  CHECK(pair.server->session.check(of_client).error().code == Code::kSessionLost);
}

TEST_CASE("a reply that was computed without a connection, or lost with it, is not computed again and arrives") {
  Pair pair;
  uint64_t waiting = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.handled(envelope.seq);
    waiting = envelope.message_id();
  };
  REQUIRE(pair.client->session.request(Kind::kCommand, "act", {}, {}, pair.client->waiter.cookie(1)));
  pair.run(10ms);
  pair.cut();
  REQUIRE(pair.server->session.respond(waiting, {wire::Status::kSuccess, Code::kOk, {}, {}, as_bytes("late")}));
  pair.rejoin();
  pair.cut();  // the reply is on its way
  pair.rejoin();
  pair.run(10ms);
  CHECK(pair.client->waiter.outcomes[1].body == "late");
  CHECK(pair.client->waiter.outcomes[1].times == 1);
  CHECK(pair.server->arrived.size() == 1);
}

TEST_CASE("what outlived its ttl without a connection is not handled, and its sender hears so") {
  Pair pair;
  REQUIRE(event(*pair.client, "before", 1));
  pair.cut();
  REQUIRE(event(*pair.client, "short", 2, {.timeout = 1h, .ttl = 1s}));
  REQUIRE(event(*pair.client, "after", 3));
  pair.run(2s);
  pair.rejoin();
  pair.run(100ms);
  CHECK(pair.server->arrived == std::vector<std::string>{"before", "after"});
  CHECK(pair.client->waiter.outcomes[1].status == wire::Status::kSuccess);
  CHECK(pair.client->waiter.outcomes[2].code == Code::kMessageExpired);
  CHECK(pair.client->waiter.outcomes[3].status == wire::Status::kSuccess);
}

TEST_CASE("what was handled before the connection was lost has succeeded, however old it is by then") {
  Pair pair;
  pair.server->ack_travel = 1h;
  REQUIRE(event(*pair.client, "short", 1, {.timeout = 1h, .ttl = 1s}));
  pair.run(100ms);
  CHECK(pair.server->arrived.size() == 1);
  pair.cut();
  pair.run(2s);
  pair.server->ack_travel = 1ms;
  pair.rejoin();
  pair.run(100ms);
  CHECK(pair.client->waiter.outcomes[1].status == wire::Status::kSuccess);
  CHECK(pair.server->arrived.size() == 1);
}

TEST_CASE("a deadline goes on while there is no connection") {
  Pair pair;
  uint32_t told_ms = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) { told_ms = envelope.deadline_ms; };
  pair.cut();
  REQUIRE(pair.client->session.request(Kind::kCommand, "act", {}, {.timeout = 10s}, pair.client->waiter.cookie(1)));
  pair.run(4s);
  pair.rejoin();
  pair.run(10ms);
  CHECK(told_ms == 6000);
}

TEST_CASE("a peer that knows of what was never sent is refused, and one that forgot cannot go on; nothing is harmed") {
  Pair pair;
  for (uint64_t i = 1; i <= 3; ++i) REQUIRE(event(*pair.client, "e", i));
  pair.run(100ms);
  pair.cut();
  const session::Session& client = pair.client->session;
  CHECK(client.check({4, 0}).error().code == Code::kSequenceInvalid);
  CHECK(client.check({3, 1}).error().code == Code::kSequenceInvalid);
  CHECK(client.check({2, 0}).error().code == Code::kSessionLost);
  CHECK(client.check({3, 0}));
  pair.rejoin();
  REQUIRE(event(*pair.client, "e", 4));
  pair.run(100ms);
  CHECK(pair.server->arrived.size() == 4);
}

TEST_CASE("a large body is sent again as it was") {
  Pair pair;
  std::vector<uint8_t> body(200'000);
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<uint8_t>(i * 7);
  size_t equal = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes arrived) {
    equal += std::equal(body.begin(), body.end(), arrived.begin(), arrived.end());
    pair.server->session.handled(envelope.seq);
  };
  REQUIRE(pair.client->session.send_event("large", body, {}, pair.client->waiter.cookie(1)));
  pair.cut();
  pair.rejoin();
  pair.run(100ms);
  CHECK(equal == 1);
}

TEST_CASE("a connection on which nothing is acknowledged for too long is closed, one that progresses is not") {
  Pair pair({.ack_timeout = 10s, .ack_retries = 3});
  pair.server->on_arrival = [](const wire::Envelope&, Bytes) {};  // never handled
  REQUIRE(event(*pair.client, "e", 1));
  pair.run(30s - 10ms);
  CHECK(pair.client->closed == Code::kOk);
  pair.server->session.handled(1);
  REQUIRE(event(*pair.client, "e", 2));
  pair.run(29s);
  CHECK(pair.client->closed == Code::kOk);
  pair.run(11s);  // it is looked at every ten seconds
  CHECK(pair.client->closed == Code::kAckTimeout);
}

TEST_CASE("as long as bytes arrive a slow network is not taken for a peer that does nothing") {
  Pair pair({.ack_timeout = 10s, .ack_retries = 3});
  pair.server->on_arrival = [](const wire::Envelope&, Bytes) {};
  pair.client->on_the_way = 1'000'000;
  REQUIRE(event(*pair.client, "e", 1));
  for (int i = 0; i < 20; ++i) {
    pair.run(9s);
    pair.client->on_the_way -= 1000;
  }
  CHECK(pair.client->closed == Code::kOk);
  pair.run(50s);
  CHECK(pair.client->closed == Code::kAckTimeout);
}

TEST_CASE("a request that its caller withdraws ends for the caller and is told to the peer, once") {
  Pair pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) { pair.server->session.handled(envelope.seq); };
  const auto sent =
      pair.client->session.request(Kind::kCommand, "act", {}, {.timeout = 1h}, pair.client->waiter.cookie(1));
  pair.run(10ms);
  CHECK(pair.client->session.cancel(*sent));
  CHECK(pair.client->waiter.outcomes[1].code == Code::kCancelled);
  CHECK_FALSE(pair.client->session.cancel(*sent));
  pair.run(10ms);
  CHECK(pair.server->cancelled == std::vector<uint64_t>{*sent});
}

TEST_CASE(
    "whenever a connection is lost, everything is handled once and in order, both ways, and every sender hears so") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Prng random(seed);
    Pair pair({.outbox_messages_max = 50, .holdback_messages_max = 50});
    std::vector<uint64_t> sent(2);
    const auto travel = [&](const wire::Envelope&) { return Duration(random.below(5'000'000)); };
    for (auto* side : {pair.client.get(), pair.server.get()}) side->delay = travel;
    for (int step = 0; step < 400; ++step) {
      TwoSessions::Side& side = random.chance(0.5) ? *pair.client : *pair.server;
      const bool of_client = &side == pair.client.get();
      const bool ordered = random.chance(0.8);
      const std::string action = std::to_string(sent[of_client] + 1) + (ordered ? "" : "?");
      const auto order = ordered ? session::Order::kOrdered : session::Order::kUnordered;
      sent[of_client] += event(side, action, sent[of_client] + 1, {.timeout = 1h, .order = order}).has_value();
      if (random.chance(0.5)) pair.run(Duration(random.below(3'000'000)));
      if (random.chance(0.08)) {
        pair.cut();
        if (random.chance(0.5)) pair.run(Duration(random.below(100'000'000)));
        pair.rejoin();
      }
    }
    pair.run(1s);
    INFO("seed " << seed);
    for (const bool of_client : {false, true}) {
      const TwoSessions::Side& sender = of_client ? *pair.client : *pair.server;
      const TwoSessions::Side& receiver = of_client ? *pair.server : *pair.client;
      CHECK(receiver.arrived.size() == sent[of_client]);
      CHECK(std::set<std::string>(receiver.arrived.begin(), receiver.arrived.end()).size() == sent[of_client]);
      uint64_t last = 0;
      for (const std::string& action : receiver.arrived) {
        if (action.back() == '?') continue;
        CHECK(std::stoull(action) > last);
        last = std::stoull(action);
      }
      for (uint64_t cookie = 1; cookie <= sent[of_client]; ++cookie) {
        const auto& outcome = sender.waiter.outcomes.at(cookie);
        CHECK((outcome.status == wire::Status::kSuccess && outcome.times == 1));
      }
      CHECK(sender.session.outbox().messages() == 0);
      CHECK(sender.session.outbox().bytes() == 0);
      CHECK(sender.closed == Code::kOk);
    }
  }
}

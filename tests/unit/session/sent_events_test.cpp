// Events that are bound to responses, and events for a peer that is too slow.
#include <catch2/catch.hpp>

#include "base/prng.h"
#include "two_sessions.h"

using namespace godwit;
using session::Bound;
using session::Overflow;
using testing::TwoSessions;
using wire::Kind;
using Strings = std::vector<std::string>;

namespace {

const session::Reply kDone{wire::Status::kSuccess, Code::kOk, {}, {}, {}};

/// The server answers when the test says so; what the client sees is written down in its order.
struct Pair : TwoSessions {
  explicit Pair(const session::SessionConfig& shared = {}) : TwoSessions(shared) {
    keep_messages();
    client->on_arrival = [this](const wire::Envelope& envelope, Bytes) {
      seen.emplace_back(envelope.action);
      client->session.handled(envelope.seq);
    };
    client->waiter.on_headers = [this](auto) { seen.emplace_back("response"); };
  }
  /// Sessions tell of their end when there is nothing to write it down in any more.
  ~Pair() {
    client->waiter.on_headers = [](auto) {};
  }
  /// A request that has come to its handler.
  uint64_t ask(uint64_t cookie = 1) {
    const auto sent =
        client->session.request(Kind::kCommand, "ask", {}, {.timeout = 30s}, client->waiter.cookie(cookie));
    REQUIRE(sent);
    run(10ms);
    return *sent;
  }
  Status bind(uint64_t request, Bound place, std::string_view action, Timestamp expires = kNever) {
    return server->session.bind(request, place, expires, action, {}, {});
  }
  Status push(std::string_view action, Duration ttl = {}) {
    const auto sent = server->session.send_event(action, {}, {.ttl = ttl}, {});
    return sent ? Status() : Status(tl::unexpected(sent.error()));
  }
  uint64_t overflowed(OverflowOutcome outcome) {
    return server->metrics.outbox_overflows[static_cast<size_t>(outcome)].value();
  }
  Strings seen;
};

}  // namespace

TEST_CASE("what is bound to a response waits for it, and is handled right before and right after it") {
  Pair pair;
  const uint64_t request = pair.ask();
  REQUIRE(pair.bind(request, Bound::kAfter, "after1"));
  REQUIRE(pair.bind(request, Bound::kBefore, "before1"));
  REQUIRE(pair.bind(request, Bound::kAfter, "after2"));
  REQUIRE(pair.bind(request, Bound::kBefore, "before2"));
  REQUIRE(pair.push("now"));
  pair.run(1s);
  CHECK(pair.seen == Strings{"now"});
  CHECK(pair.server->session.bound_events() == 4);
  CHECK(pair.server->metrics.bound_events.value() == 4);
  // Whatever overtakes whom on the way.
  pair.server->delay = [](const wire::Envelope& envelope) {
    return envelope.action.starts_with("before") ? 30ms : envelope.action.empty() ? 20ms : 1ms;
  };
  REQUIRE(pair.server->session.respond(request, kDone));
  pair.run(1s);
  CHECK(pair.seen == Strings{"now", "before1", "before2", "response", "after1", "after2"});
  CHECK(pair.server->session.bound_events() == 0);
  CHECK(pair.server->metrics.bound_events.value() == 0);
}

TEST_CASE("a failure is a response, and one that cannot be sent is followed by another") {
  Pair pair;
  const uint64_t request = pair.ask();
  REQUIRE(pair.bind(request, Bound::kBefore, "before"));
  REQUIRE(pair.bind(request, Bound::kAfter, "after"));
  const std::string huge((1 << 20) + 1, 'x');
  CHECK(
      pair.server->session.respond(request, {wire::Status::kSuccess, Code::kOk, {}, {}, as_bytes(huge)}).error().code ==
      Code::kMessageTooLarge);
  CHECK(pair.server->session.bound_events() == 1);
  REQUIRE(pair.server->session.respond(request, {wire::Status::kFailure, Code::kHandlerFailed, "no", {}, {}}));
  pair.run(1s);
  CHECK(pair.seen == Strings{"before", "response", "after"});
  CHECK(pair.client->waiter.outcomes[1].code == Code::kHandlerFailed);
}

TEST_CASE("what is bound to a response that comes too late is dropped and counted; the response is not") {
  Pair pair;
  const uint64_t request = pair.ask();
  const Timestamp expires = pair.time.clock.now() + 1s;
  REQUIRE(pair.bind(request, Bound::kBefore, "before", expires));
  REQUIRE(pair.bind(request, Bound::kAfter, "after", expires));
  pair.run(1s);
  REQUIRE(pair.server->session.respond(request, kDone));
  pair.run(1s);
  CHECK(pair.seen == Strings{"response"});
  CHECK(pair.server->metrics.bound_events_expired.value() == 2);
  CHECK(pair.server->session.bound_events() == 0);
}

TEST_CASE("what is bound to a withdrawn request goes with it, and all of it with the session") {
  Pair pair;
  const uint64_t request = pair.ask();
  REQUIRE(pair.bind(request, Bound::kAfter, "after"));
  pair.server->session.unbind(request);
  CHECK(pair.server->metrics.bound_events.value() == 0);
  REQUIRE(pair.bind(request, Bound::kAfter, "after"));
  pair.server->session.fail_all(Code::kSessionLost, "over");
  CHECK(pair.server->metrics.bound_events.value() == 0);
}

TEST_CASE("what can be bound is bounded, and what could not be sent is not bound") {
  Pair pair({.outbox_messages_max = 3});
  const uint64_t request = pair.ask();
  for (int i = 0; i < 3; ++i) REQUIRE(pair.bind(request, Bound::kAfter, "after"));
  CHECK(pair.bind(request, Bound::kBefore, "one too many").error().code == Code::kQueueFull);
  CHECK(pair.bind(request, Bound::kBefore, "").error().code == Code::kActionInvalid);
  // A full outbox refuses others, not what belongs to a response.
  pair.server->delay = [](const wire::Envelope&) { return 1h; };
  for (int i = 0; i < 3; ++i) REQUIRE(pair.push("pushed"));
  CHECK(pair.push("pushed").error().code == Code::kQueueFull);
  pair.server->delay = [](const wire::Envelope&) { return 1ms; };
  pair.cut();
  pair.rejoin();
  pair.run(100ms);
  REQUIRE(pair.server->session.respond(request, kDone));
  pair.run(1s);
  CHECK(pair.seen == Strings{"pushed", "pushed", "pushed", "response", "after", "after", "after"});
}

TEST_CASE("an event after a response that was given already goes out at once, and is handled after it") {
  Pair pair;
  const uint64_t request = pair.ask();
  pair.server->delay = [](const wire::Envelope& envelope) { return envelope.action.empty() ? 20ms : 1ms; };
  REQUIRE(pair.server->session.respond(request, kDone));
  REQUIRE(pair.push("pushed"));
  REQUIRE(pair.server->session.send_after(request, "late", {}, {}));
  CHECK(pair.server->sent.size() == 3);
  pair.run(1s);
  CHECK(pair.seen == Strings{"pushed", "response", "late"});
  // Long after it was acknowledged as well.
  REQUIRE(pair.server->session.send_after(request, "later", {}, {}));
  pair.run(10ms);
  CHECK(pair.seen.back() == "later");
}

TEST_CASE("before, response and after keep their order for many requests, by every way and across lost connections") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Prng random(seed);
    Pair pair;
    pair.server->delay = [&](const wire::Envelope&) { return Duration(random.below(20'000'000)); };
    std::vector<uint64_t> requests;
    for (uint64_t i = 1; i <= 200; ++i) {
      const uint64_t request =
          *pair.client->session.request(Kind::kCommand, "ask", {}, {.timeout = 1h, .order = session::Order::kUnordered},
                                        pair.client->waiter.cookie(i));
      requests.push_back(request);
      if (random.chance(0.2)) pair.run(Duration(random.below(5'000'000)));
    }
    pair.run(50ms);
    std::map<std::string, std::vector<char>> order;  // by request
    pair.client->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
      order[std::string(envelope.action.substr(1))].push_back(envelope.action[0]);
      pair.client->session.handled(envelope.seq);
    };
    pair.client->waiter.on_headers = [&](std::span<const wire::Header> headers) {
      order[std::string(headers[0].value)].push_back('r');
    };
    for (const uint64_t request : requests) {
      const std::string id = std::to_string(request);
      REQUIRE(pair.bind(request, Bound::kAfter, "a" + id));
      REQUIRE(pair.bind(request, Bound::kBefore, "b" + id));
    }
    while (!requests.empty()) {
      const size_t at = random.below(requests.size());
      const std::string id = std::to_string(requests[at]);
      const wire::Header header{"request", id};
      REQUIRE(pair.server->session.respond(requests[at], {wire::Status::kSuccess, Code::kOk, {}, {&header, 1}, {}}));
      requests.erase(requests.begin() + static_cast<ptrdiff_t>(at));
      if (random.chance(0.3)) pair.run(Duration(random.below(5'000'000)));
      if (random.chance(0.05)) {
        pair.cut();
        pair.rejoin();
      }
    }
    pair.run(5s);
    INFO("seed " << seed);
    CHECK(order.size() == 200);
    for (const auto& [request, seen] : order) CHECK(std::string(seen.begin(), seen.end()) == "bra");
  }
}

TEST_CASE("a full session refuses events, unless it is to do something else, and counts it") {
  Pair pair({.outbox_messages_max = 2});
  pair.client->on_arrival = [](const wire::Envelope&, Bytes) {};  // takes nothing
  for (int i = 0; i < 2; ++i) REQUIRE(pair.push("taken"));
  CHECK(pair.push("refused").error().code == Code::kQueueFull);
  CHECK(pair.server->session.send_event("refused", {}, {}, pair.server->waiter.cookie(1)).error().code ==
        Code::kQueueFull);
  CHECK(pair.overflowed(OverflowOutcome::kRejected) == 2);
  CHECK(pair.server->closed == Code::kOk);
}

TEST_CASE("of events that wait for room the oldest go, and the rest arrives in order without a hole") {
  Pair pair({.outbox_messages_max = 3, .overflow = Overflow::kDropOldest});
  const auto takes = pair.client->on_arrival;
  std::vector<uint64_t> open;
  pair.client->on_arrival = [&](const wire::Envelope& envelope, Bytes) { open.push_back(envelope.seq); };
  for (int i = 1; i <= 10; ++i) REQUIRE(pair.push(std::to_string(i)));
  CHECK(pair.server->session.waiting_events() == 3);
  CHECK(pair.server->metrics.outbox_waiting.value() == 3);
  CHECK(pair.overflowed(OverflowOutcome::kDropped) == 4);
  // What somebody waits for is refused instead, and so is what would pass those that wait.
  CHECK(pair.server->session.send_event("awaited", {}, {}, pair.server->waiter.cookie(1)).error().code ==
        Code::kQueueFull);
  CHECK(pair.server->session.request(Kind::kCommand, "asked", {}, {}, pair.server->waiter.cookie(2)).error().code ==
        Code::kQueueFull);
  pair.run(100ms);
  CHECK(open == std::vector<uint64_t>{1, 2, 3});
  pair.client->on_arrival = takes;
  for (const uint64_t seq : open) pair.client->session.handled(seq);
  pair.run(1s);
  CHECK(pair.seen == Strings{"8", "9", "10"});
  CHECK(pair.server->session.outbox().next_seq() == 7);
  CHECK(pair.server->session.waiting_events() == 0);
  CHECK(pair.server->metrics.outbox_waiting.value() == 0);
}

TEST_CASE("what outlives its ttl while it waits for room is not sent") {
  Pair pair({.outbox_messages_max = 1, .overflow = Overflow::kDropOldest});
  const auto takes = pair.client->on_arrival;
  pair.client->on_arrival = [](const wire::Envelope&, Bytes) {};
  REQUIRE(pair.push("first"));
  REQUIRE(pair.push("short", 50ms));
  pair.run(100ms);
  pair.client->on_arrival = takes;
  pair.client->session.handled(1);
  pair.run(1s);
  CHECK(pair.seen.empty());
  CHECK(pair.server->session.waiting_events() == 0);
  CHECK(pair.server->metrics.messages_dropped[static_cast<size_t>(DropReason::kExpired)].value() == 1);
}

TEST_CASE("where it is so decided a full session ends, for good") {
  Pair pair({.outbox_messages_max = 1, .overflow = Overflow::kDisconnect});
  pair.client->on_arrival = [](const wire::Envelope&, Bytes) {};
  REQUIRE(pair.push("first"));
  CHECK(pair.server->closed == Code::kOk);
  CHECK(pair.push("second").error().code == Code::kQueueFull);
  CHECK(pair.server->closed == Code::kSlowConsumer);
  CHECK(pair.overflowed(OverflowOutcome::kClosed) == 1);
  pair.cut();
  CHECK(pair.server->session.check(pair.client->session.resync()).error().code == Code::kSessionLost);
}

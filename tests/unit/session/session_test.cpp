#include "session/session.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/prng.h"
#include "two_sessions.h"

using namespace godwit;
using session::SendOptions;
using testing::TwoSessions;
using wire::Kind;

namespace {

constexpr SendOptions kUnordered{.order = session::Order::kUnordered};
constexpr session::Reply kSuccess{wire::Status::kSuccess, Code::kOk, {}, {}, {}};

/// Answers each request with its own body.
void echo(TwoSessions::Side& side) {
  side.on_arrival = [&side](const wire::Envelope& envelope, Bytes body) {
    if (wire::is_request(envelope.kind)) {
      REQUIRE(side.session.respond(envelope.message_id(), {wire::Status::kSuccess, Code::kOk, {}, {}, body}));
    }
    side.session.handled(envelope.seq);
  };
}

Result<uint64_t> request(TwoSessions::Side& side, std::string_view body, uint64_t cookie,
                         const SendOptions& options = {}) {
  return side.session.request(Kind::kCommand, "act", as_bytes(body), options, side.waiter.cookie(cookie));
}

Result<uint64_t> event(TwoSessions::Side& side, std::string_view action, const SendOptions& options = {}) {
  return side.session.send_event(action, {}, options, {});
}

}  // namespace

TEST_CASE("a request is answered with its reply, not before it came") {
  TwoSessions pair;
  echo(*pair.server);
  REQUIRE(request(*pair.client, "hello", 7));
  pair.run(1ms);
  REQUIRE_FALSE(pair.client->waiter.settled(7));
  REQUIRE(pair.client->session.pending_replies() == 1);
  pair.run(1ms);
  const auto& outcome = pair.client->waiter.outcomes[7];
  REQUIRE(outcome.status == wire::Status::kSuccess);
  REQUIRE(outcome.body == "hello");
  REQUIRE(outcome.times == 1);
  REQUIRE(pair.client->session.pending_replies() == 0);
  REQUIRE(pair.client->metrics.promises.value() == 0);
}

TEST_CASE("an event that is not acknowledged by its deadline fails with a code, and what comes later harms nobody") {
  TwoSessions pair;
  pair.server->on_arrival = [](const wire::Envelope&, Bytes) {};
  REQUIRE(pair.client->session.send_event("hung", {}, {.timeout = 1s}, pair.client->waiter.cookie(1)));
  REQUIRE(pair.client->session.send_event("hung", {}, {}, pair.client->waiter.cookie(2)));
  REQUIRE(pair.client->metrics.promises.value() == 2);
  pair.run(1s - 1ms);
  REQUIRE_FALSE(pair.client->waiter.settled(1));
  pair.run(20ms);
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kTimeout);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kDeadlineExceeded);
  pair.server->session.handled(1);
  pair.server->session.handled(2);
  pair.run(1s);
  REQUIRE(pair.client->waiter.outcomes[1].times == 1);
  REQUIRE(pair.client->waiter.outcomes[2].status == wire::Status::kSuccess);
  REQUIRE(pair.client->session.pending_replies() == 0);
  REQUIRE(pair.client->metrics.promises.value() == 0);
  REQUIRE(pair.client->session.outbox().messages() == 0);
}

TEST_CASE("the default deadline holds for events too, and the peer is told how long their sender waits") {
  TwoSessions pair({.request_timeout = 2s});
  uint32_t told_ms = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) { told_ms = envelope.deadline_ms; };
  REQUIRE(pair.client->session.send_event("hung", {}, {}, pair.client->waiter.cookie(1)));
  pair.run(10ms);
  REQUIRE(told_ms == 2000);
  pair.run(2s);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kDeadlineExceeded);
}

TEST_CASE("requests go both ways at the same time") {
  TwoSessions pair;
  echo(*pair.server);
  echo(*pair.client);
  REQUIRE(request(*pair.client, "up", 1));
  REQUIRE(request(*pair.server, "down", 1));
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes[1].body == "up");
  REQUIRE(pair.server->waiter.outcomes[1].body == "down");
}

TEST_CASE("a failure reaches the caller with status, code and text") {
  TwoSessions pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    REQUIRE(pair.server->session.respond(envelope.message_id(),
                                         {wire::Status::kFailure, Code::kHandlerFailed, "why", {}, {}}));
    pair.server->session.handled(envelope.seq);
  };
  REQUIRE(request(*pair.client, "", 1));
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kFailure);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kHandlerFailed);
  REQUIRE(pair.client->waiter.outcomes[1].text == "why");
}

TEST_CASE("an event succeeds when its handler has it and not while it only arrived") {
  TwoSessions pair;
  uint64_t arrived = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) { arrived = envelope.seq; };
  REQUIRE(pair.client->session.send_event("news", {}, {}, pair.client->waiter.cookie(1)));
  pair.run(1s);
  REQUIRE(arrived == 1);
  REQUIRE_FALSE(pair.client->waiter.settled(1));
  pair.server->session.handled(arrived);
  pair.run(2ms);
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kSuccess);
}

TEST_CASE("an event that is refused fails with the code, and its neighbours succeed") {
  TwoSessions pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    if (envelope.action == "bad") return pair.server->session.refuse(envelope.seq, Code::kHandlerNotFound, "bad");
    pair.server->session.handled(envelope.seq);
  };
  for (const auto& [action, cookie] : {std::pair{"good", 1}, {"bad", 2}, {"good", 3}}) {
    REQUIRE(pair.client->session.send_event(action, {}, {}, pair.client->waiter.cookie(uint64_t(cookie))));
  }
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kSuccess);
  REQUIRE(pair.client->waiter.outcomes[2].status == wire::Status::kFailure);
  REQUIRE(pair.client->waiter.outcomes[2].code == Code::kHandlerNotFound);
  REQUIRE(pair.client->waiter.outcomes[3].status == wire::Status::kSuccess);
}

TEST_CASE("a thousand refusals in one turn all reach their senders, none of them as a success") {
  TwoSessions pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.refuse(envelope.seq, Code::kDispatcherFull, std::string(5000, 'x'));
  };
  for (uint64_t i = 1; i <= 1000; ++i) {
    REQUIRE(pair.client->session.send_event("e", {}, {}, pair.client->waiter.cookie(i)));
  }
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes.size() == 1000);
  for (const auto& [cookie, outcome] : pair.client->waiter.outcomes) REQUIRE(outcome.code == Code::kDispatcherFull);
  for (const auto& ack : pair.server->acks) REQUIRE(ack.nacks.size() <= 64);  // a control frame has room for so many
  REQUIRE(pair.client->session.outbox().messages() == 0);
}

TEST_CASE("a request that is refused in an acknowledgement fails at once") {
  TwoSessions pair;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    pair.server->session.refuse(envelope.seq, Code::kFrameTruncated, "");
  };
  REQUIRE(request(*pair.client, "", 1));
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kFrameTruncated);
  REQUIRE(pair.client->session.pending_replies() == 0);
}

TEST_CASE("whatever the lanes do, ordered messages are handled in the order in which they were sent") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TwoSessions pair;
    Prng random(seed);
    pair.client->delay = [&](const wire::Envelope&) { return Duration(random.below(500'000'000)); };
    for (int i = 1; i <= 1000; ++i) REQUIRE(event(*pair.client, std::to_string(i)));
    pair.run(1s);
    REQUIRE(pair.server->arrived.size() == 1000);
    for (size_t i = 0; i < 1000; ++i) REQUIRE(pair.server->arrived[i] == std::to_string(i + 1));
    REQUIRE(pair.client->session.outbox().messages() == 0);
  }
}

TEST_CASE("an unordered message passes those that wait, an ordered one behind it does not") {
  TwoSessions pair;
  pair.client->delay = [](const wire::Envelope& envelope) { return envelope.action == "slow" ? 100ms : 1ms; };
  REQUIRE(event(*pair.client, "slow"));
  REQUIRE(event(*pair.client, "free", kUnordered));
  REQUIRE(event(*pair.client, "next"));
  pair.run(50ms);
  REQUIRE(pair.server->arrived == std::vector<std::string>{"free"});
  pair.run(100ms);
  REQUIRE(pair.server->arrived == std::vector<std::string>{"free", "slow", "next"});
}

TEST_CASE("a message that comes twice is handled once and acknowledged again") {
  TwoSessions pair;
  const wire::Envelope twice{.seq = 1, .after_delta = 1, .kind = Kind::kEvent, .action = "e"};
  REQUIRE(event(*pair.client, "e"));
  pair.run(100ms);
  const size_t acks = pair.server->acks.size();
  pair.server->session.receive(twice, {});
  pair.run(1ms);
  REQUIRE(pair.server->arrived.size() == 1);
  REQUIRE(pair.server->metrics.duplicates_dropped.value() == 1);
  REQUIRE(pair.server->acks.size() == acks + 1);
  REQUIRE(pair.server->closed == Code::kOk);
}

TEST_CASE("a few messages are acknowledged after 25 ms, together") {
  TwoSessions pair;
  const Timestamp start = pair.time.clock.now();
  for (int i = 0; i < 10; ++i) REQUIRE(event(*pair.client, "e"));
  pair.run(25ms);
  REQUIRE(pair.server->acks.empty());
  pair.run(1ms);
  REQUIRE(pair.server->acks.size() == 1);
  REQUIRE(pair.server->acks[0].at == start + 1ms + 25ms);
  REQUIRE(pair.server->acks[0].cumulative == 10);
}

TEST_CASE("the sixty-fourth message is acknowledged at the end of its turn, the sixty-third is not") {
  for (const int count : {63, 64}) {
    TwoSessions pair;
    for (int i = 0; i < count; ++i) REQUIRE(event(*pair.client, "e"));
    pair.run(2ms);
    REQUIRE(pair.server->acks.size() == (count == 64 ? 1 : 0));
  }
}

TEST_CASE("a thousand messages need at most fifty acknowledgements, and the outbox is empty afterwards") {
  TwoSessions pair;
  Prng random(1);
  pair.client->delay = [&](const wire::Envelope& envelope) { return Duration(envelope.seq * 100us); };
  for (int i = 0; i < 1000; ++i) REQUIRE(event(*pair.client, "e"));
  pair.run(1s);
  REQUIRE(pair.server->acks.size() <= 50);
  REQUIRE(pair.client->session.outbox().messages() == 0);
  REQUIRE(pair.client->session.outbox().bytes() == 0);
}

TEST_CASE("an event whose sender waits is acknowledged in the turn in which it was handled") {
  TwoSessions pair;
  REQUIRE(pair.client->session.send_event("e", {}, {}, pair.client->waiter.cookie(1)));
  pair.run(2ms);
  REQUIRE(pair.client->waiter.settled(1));
}

TEST_CASE("an event whose sender waits is acknowledged soon also when others were handled in turns before it") {
  TwoSessions pair;
  std::vector<uint64_t> queue;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) { queue.push_back(envelope.seq); };
  for (int i = 0; i < 3; ++i) REQUIRE(event(*pair.client, "before"));
  REQUIRE(pair.client->session.send_event("e", {}, {}, pair.client->waiter.cookie(1)));
  pair.run(1ms);
  for (const uint64_t seq : queue) {
    REQUIRE_FALSE(pair.client->waiter.settled(1));
    pair.server->session.handled(seq);
    pair.run(1ms);
  }
  REQUIRE(pair.client->waiter.settled(1));
}

TEST_CASE("no reply in time is a timeout at the deadline, and the late reply is counted and dropped") {
  TwoSessions pair;
  uint64_t request_id = 0;
  pair.server->on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    REQUIRE(envelope.deadline_ms == 500);
    request_id = envelope.message_id();
    pair.server->session.handled(envelope.seq);
  };
  REQUIRE(request(*pair.client, "", 1, {.timeout = 500ms}));
  pair.run(499ms);
  REQUIRE_FALSE(pair.client->waiter.settled(1));
  pair.run(17ms);
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kTimeout);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kDeadlineExceeded);

  REQUIRE(pair.server->session.respond(request_id, kSuccess));
  pair.run(10ms);
  REQUIRE(pair.client->metrics.late_replies.value() == 1);
  REQUIRE(pair.client->waiter.outcomes[1].times == 1);
}

TEST_CASE("a request without a timeout of its own has the configured one") {
  TwoSessions pair({.request_timeout = 2s});
  REQUIRE(request(*pair.client, "", 1));
  pair.run(1999ms);
  REQUIRE_FALSE(pair.client->waiter.settled(1));
  pair.run(20ms);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kDeadlineExceeded);
}

TEST_CASE("when the session is over everybody who waits hears it at once, and nobody twice") {
  TwoSessions pair;
  pair.server->on_arrival = [](const wire::Envelope&, Bytes) {};
  for (uint64_t i = 0; i < 900; ++i) REQUIRE(request(*pair.client, "", i));
  REQUIRE(pair.client->session.send_event("e", {}, {}, pair.client->waiter.cookie(1000)));
  pair.run(10ms);
  REQUIRE(pair.client->waiter.outcomes.empty());
  pair.client->session.fail_all(Code::kConnectionLost, "gone");
  REQUIRE(pair.client->waiter.outcomes.size() == 901);
  pair.client->session.fail_all(Code::kPeerClosed, "again");
  for (const auto& [cookie, outcome] : pair.client->waiter.outcomes) {
    REQUIRE(outcome.code == Code::kConnectionLost);
    REQUIRE(outcome.times == 1);
  }
  REQUIRE(pair.client->metrics.promises.value() == 0);
  pair.run(1min);
  REQUIRE(pair.client->waiter.outcomes[5].times == 1);
}

TEST_CASE("what is refused before it is sent takes no number and leaves nothing behind") {
  TwoSessions pair({.outbox_messages_max = 2, .body_bytes_max = 100}, 3);
  auto& client = *pair.client;
  SECTION("a body over the limit") {
    REQUIRE(request(client, std::string(101, 'x'), 1).error().code == Code::kMessageTooLarge);
    client.session.limit_body_bytes(50);
    REQUIRE(request(client, std::string(51, 'x'), 1).error().code == Code::kMessageTooLarge);
    REQUIRE(*request(client, std::string(50, 'x'), 2) == 1);
  }
  SECTION("a full outbox") {
    REQUIRE(event(client, "a"));
    REQUIRE(event(client, "b"));
    REQUIRE(event(client, "c").error().code == Code::kQueueFull);
    REQUIRE(request(client, "", 1).error().code == Code::kQueueFull);
    REQUIRE(client.metrics.promises.value() == 0);
    pair.run(100ms);
    REQUIRE(*event(client, "c") == 3);
  }
  SECTION("an outbox that the peer's limit made smaller") {
    client.session.limit_outbox_messages(1);
    REQUIRE(event(client, "a"));
    REQUIRE(event(client, "b").error().code == Code::kQueueFull);
  }
  SECTION("a link that cannot encode it") {
    client.send_outcome = fail(Code::kHeadersInvalid);
    REQUIRE(request(client, "", 1).error().code == Code::kHeadersInvalid);
    client.send_outcome = {};
    REQUIRE(*request(client, "", 2) == 1);
  }
  SECTION("no connection") {
    client.session.detach();
    REQUIRE(request(client, "", 1).error().code == Code::kConnectionLost);
    REQUIRE(event(client, "a").error().code == Code::kConnectionLost);
  }
  REQUIRE_FALSE(client.waiter.settled(1));
}

TEST_CASE("at the promise bound a request is refused, and one that ended makes room") {
  TwoSessions pair({}, 2);
  echo(*pair.server);
  REQUIRE(request(*pair.client, "", 1));
  REQUIRE(request(*pair.client, "", 2));
  REQUIRE(request(*pair.client, "", 3).error().code == Code::kPromiseLimit);
  pair.run(10ms);
  REQUIRE(request(*pair.client, "", 3));
}

TEST_CASE("a peer that breaks the rules of numbering loses the connection with a code") {
  TwoSessions pair;
  auto& server = *pair.server;
  SECTION("a reliable message without a number") { server.session.receive({.kind = Kind::kEvent, .action = "e"}, {}); }
  SECTION("a number beyond the window") {
    server.session.receive({.seq = 5000, .kind = Kind::kEvent, .action = "e"}, {});
  }
  SECTION("an acknowledgement of what was never sent") { server.session.receive_ack({.cumulative = 1}); }
  REQUIRE(server.closed == Code::kSequenceInvalid);
  REQUIRE(server.arrived.empty());
}

TEST_CASE("a peer that runs further ahead than agreed loses the connection") {
  TwoSessions pair({.holdback_messages_max = 10});
  for (uint64_t seq = 2; seq <= 11; ++seq) {
    pair.server->session.receive({.seq = seq, .after_delta = 1, .kind = Kind::kEvent, .action = "e"}, {});
  }
  REQUIRE(pair.server->closed == Code::kOk);
  pair.server->session.receive({.seq = 12, .after_delta = 1, .kind = Kind::kEvent, .action = "e"}, {});
  REQUIRE(pair.server->closed == Code::kHoldBackFull);
}

TEST_CASE("an unreliable message has no number, is handled and is not acknowledged") {
  TwoSessions pair;
  pair.server->session.receive({.kind = Kind::kEvent, .flags = wire::flags::kUnreliable, .action = "e"}, {});
  pair.run(1s);
  REQUIRE(pair.server->arrived == std::vector<std::string>{"e"});
  REQUIRE(pair.server->acks.empty());
}

TEST_CASE("an unreliable event takes no number and no place, and nobody may wait for it") {
  TwoSessions pair;
  const SendOptions unreliable{.order = session::Order::kUnreliable};
  REQUIRE(event(*pair.client, "first"));
  REQUIRE(event(*pair.client, "tick", unreliable) == 0u);
  REQUIRE(event(*pair.client, "second") == 2u);
  REQUIRE(pair.client->session.outbox().messages() == 2);
  const auto waited = pair.client->session.send_event("tick", {}, unreliable, pair.client->waiter.cookie(1));
  REQUIRE(waited.error().code == Code::kReplyNotExpected);
  pair.run(1s);
  REQUIRE(pair.server->arrived == std::vector<std::string>{"first", "tick", "second"});
  REQUIRE(pair.client->session.outbox().messages() == 0);
  REQUIRE_FALSE(pair.client->waiter.settled(1));
}

TEST_CASE("an unreliable event that its link does not take is an error at once") {
  TwoSessions pair;
  pair.client->send_outcome = fail(Code::kMessageTooLarge, "does not fit a packet");
  const auto sent = event(*pair.client, "tick", {.order = session::Order::kUnreliable});
  REQUIRE(sent.error().code == Code::kMessageTooLarge);
}

TEST_CASE("only events may be unreliable") {
  for (const Kind kind : {Kind::kCommand, Kind::kQuery, Kind::kResponse}) {
    TwoSessions pair;
    pair.server->session.receive({.kind = kind, .flags = wire::flags::kUnreliable, .action = "e"}, {});
    REQUIRE(pair.server->closed == Code::kSequenceInvalid);
    REQUIRE(pair.server->arrived.empty());
  }
}

TEST_CASE("a message whose body never comes is refused, and those behind it go on") {
  TwoSessions pair;
  const auto ordered = [](uint64_t seq, std::string_view action) {
    return wire::Envelope{.seq = seq, .after_delta = 1, .kind = Kind::kEvent, .action = action};
  };
  for (int i = 1; i <= 4; ++i)
    REQUIRE(pair.client->session.send_event("x", {}, {}, pair.client->waiter.cookie(uint64_t(i))));
  auto& server = *pair.server;

  SECTION("when it is its turn") {
    server.session.receive(ordered(1, "a"), {});
    server.session.receive(ordered(3, "c"), {});
    server.session.receive(ordered(4, "d"), {});
    REQUIRE(server.arrived.size() == 1);
    server.session.receive_refused(ordered(2, "b"), Code::kFrameTruncated, "");
  }
  SECTION("before its turn, and order holds all the same") {
    server.session.receive(ordered(4, "d"), {});
    server.session.receive_refused(ordered(2, "b"), Code::kFrameTruncated, "");
    server.session.receive(ordered(3, "c"), {});
    REQUIRE(server.arrived.empty());
    server.session.receive(ordered(1, "a"), {});
  }
  REQUIRE(server.arrived == std::vector<std::string>{"a", "c", "d"});
  pair.run(1s);
  REQUIRE(pair.client->waiter.outcomes[2].code == Code::kFrameTruncated);
  for (const uint64_t i : {1, 3, 4}) REQUIRE(pair.client->waiter.outcomes[i].status == wire::Status::kSuccess);
  REQUIRE(server.closed == Code::kOk);
}

TEST_CASE("a reply whose body never comes fails the request that waits for it") {
  TwoSessions pair;
  pair.server->on_arrival = [](const wire::Envelope&, Bytes) {};
  REQUIRE(request(*pair.client, "", 1));
  pair.client->session.receive_refused(
      {.seq = 1, .correlates = 1, .kind = Kind::kResponse, .status = wire::Status::kSuccess}, Code::kFrameTruncated,
      "less body than announced");
  REQUIRE(pair.client->waiter.outcomes[1].status == wire::Status::kFailure);
  REQUIRE(pair.client->waiter.outcomes[1].code == Code::kFrameTruncated);
  REQUIRE(pair.client->session.pending_replies() == 0);
}

TEST_CASE("replies that nobody acknowledges close the connection instead of growing without bound") {
  TwoSessions pair({.outbox_messages_max = 5});
  for (uint64_t i = 1; i <= 10; ++i) REQUIRE(pair.server->session.respond(i, kSuccess));
  REQUIRE(pair.server->closed == Code::kOk);
  REQUIRE(pair.server->session.respond(11, kSuccess).error().code == Code::kQueueFull);
  REQUIRE(pair.server->closed == Code::kQueueFull);
}

TEST_CASE("what a sender may keep unacknowledged the other side can hold, byte for byte") {
  TwoSessions pair({.outbox_bytes_max = 10'000, .holdback_bytes_max = 10'000});
  const std::string value(20, 'v');
  const wire::Header headers[] = {{"name", value}};
  pair.client->delay = [](const wire::Envelope& envelope) { return envelope.seq == 1 ? 100ms : 1ms; };
  REQUIRE(event(*pair.client, ""));  // costs nothing, so the rest fills the bound to the last byte
  while (pair.client->session.send_event("e", as_bytes("body"), {.headers = headers}, {})) {
  }
  REQUIRE(pair.client->session.outbox().bytes() > 9'960);
  pair.run(50ms);
  REQUIRE(pair.server->arrived.empty());
  pair.run(1s);
  REQUIRE(pair.server->closed == Code::kOk);
  REQUIRE(pair.client->session.outbox().messages() == 0);
}

TEST_CASE("under random traffic both ways everything settles exactly once") {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    TwoSessions pair;
    Prng random(seed);
    uint64_t accepted[2] = {};
    TwoSessions::Side* const sides[] = {pair.client.get(), pair.server.get()};
    for (TwoSessions::Side* side : sides) {
      side->delay = [&random](const wire::Envelope&) { return Duration(random.below(80'000'000)); };
      side->on_arrival = [side, &random](const wire::Envelope& envelope, Bytes body) {
        if (!wire::is_request(envelope.kind)) {
          return random.chance(0.1) ? side->session.refuse(envelope.seq, Code::kHandlerNotFound, "")
                                    : side->session.handled(envelope.seq);
        }
        if (random.chance(0.9)) {
          REQUIRE(side->session.respond(envelope.message_id(), {wire::Status::kSuccess, Code::kOk, {}, {}, body}));
        }
        side->session.handled(envelope.seq);
      };
    }
    for (int step = 0; step < 3000; ++step) {
      const size_t i = random.below(2);
      const SendOptions options{.timeout = 300ms,
                                .order = random.chance(0.7) ? session::Order::kOrdered : session::Order::kUnordered};
      const uint64_t cookie = accepted[i] + 1;
      const auto sent = random.chance(0.5)
                            ? request(*sides[i], std::to_string(cookie), cookie, options)
                            : sides[i]->session.send_event("e", {}, options, sides[i]->waiter.cookie(cookie));
      if (sent) accepted[i] = cookie;
      if (random.chance(0.2)) pair.run(Duration(random.below(20'000'000)));
    }
    pair.run(1s);
    for (size_t i = 0; i < 2; ++i) {
      REQUIRE(accepted[i] > 1000);
      REQUIRE(sides[i]->waiter.outcomes.size() == accepted[i]);
      for (const auto& [cookie, outcome] : sides[i]->waiter.outcomes) REQUIRE(outcome.times == 1);
      REQUIRE(sides[i]->session.outbox().messages() == 0);
      REQUIRE(sides[i]->session.inbox().held() == 0);
      REQUIRE(sides[i]->metrics.promises.value() == 0);
      REQUIRE(sides[i]->closed == Code::kOk);
    }
  }
}

#include "app/dispatcher.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <numeric>

#include "host/services.h"

#include "two_sessions.h"

using namespace godwit;
using app::Dispatcher;
using host::Delivery;
using host::ReplyOutcome;
using host::Ticket;
using testing::TwoSessions;
using wire::Kind;

namespace {

class NullSink final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

void echo(const Delivery& delivery, host::ReplySink& sink) {
  if (wire::is_request(delivery.kind))
    REQUIRE(sink.reply(delivery.ticket, delivery.body, {}) == ReplyOutcome::kAccepted);
  sink.done(delivery.ticket);
}

/// A handler whose work is the test's: called once per message, and it keeps the sizes of the batches.
class TestHandler final : public host::Handler {
 public:
  std::function<void(const Delivery&, host::ReplySink&)> on_message = echo;
  std::vector<size_t> batches;

  size_t handle(std::span<const Delivery> batch, host::ReplySink& sink) override {
    size_t taken = 0;
    while (taken < batch.size() && (taken == 0 || !sink.enough())) on_message(batch[taken++], sink);
    batches.push_back(taken);
    return taken;
  }
  std::string_view name() const override { return "test@1"; }
};

/// A client's session, joined to a server's session whose messages go through the dispatcher. Actions "one" and "two"
/// belong to two units.
struct Fixture : Dispatcher::Handlers, Dispatcher::Sessions {
  explicit Fixture(const app::DispatcherConfig& wanted = {})
      : config(wanted), dispatcher(config, pair.time.clock, pair.server->metrics, Log(sink, "dispatch"), *this, *this) {
    pair.server->on_arrival = [this](const wire::Envelope& envelope, Bytes body) {
      dispatcher.submit(pair.server->session, {envelope, body});
    };
    pair.on_turn_end = [this] { more = dispatcher.run(); };
  }

  const routing::Target* find(Kind kind, std::string_view action) override {
    static constexpr routing::Target kTargets[] = {{0, 0}, {1, 0}};
    if (action == "noted") return kind == Kind::kEvent || kind == Kind::kQuery ? &kTargets[0] : nullptr;
    return action == removed ? nullptr : action == "one" ? &kTargets[0] : action == "two" ? &kTargets[1] : nullptr;
  }
  host::Handler* handler(uint32_t unit) override { return units[unit]; }
  std::optional<uint32_t> resting() const override { return rests; }
  bool run_ready(host::ReplySink& sink) override { return on_ready && on_ready(sink); }
  void withdraw(uint32_t unit, Ticket ticket, host::ReplySink&) override { withdrawn.emplace_back(unit, ticket.bits); }
  uint64_t version() const override { return routes_version; }
  bool authorizes() const override { return bool(allows); }
  std::vector<bool> authorize(uint32_t, std::span<const Delivery> batch, host::ReplySink&) override {
    std::vector<bool> allowed;
    for (const Delivery& delivery : batch) allowed.push_back(allows(delivery));
    return allowed;
  }
  session::Session* find_session(session::SessionId) override { return session_gone ? nullptr : &pair.server->session; }
  const host::SessionView* view_session(session::SessionId) override { return nullptr; }

  uint64_t request(std::string_view action, std::string_view body = {}, const session::SendOptions& options = {}) {
    const uint64_t cookie = ++cookies;
    REQUIRE(client().session.request(Kind::kCommand, action, as_bytes(body), options, client().waiter.cookie(cookie)));
    return cookie;
  }
  uint64_t event(std::string_view action, const session::SendOptions& options = {}) {
    const uint64_t cookie = ++cookies;
    REQUIRE(client().session.send_event(action, {}, options, client().waiter.cookie(cookie)));
    return cookie;
  }
  /// Lets everything sent arrive in one turn, and the answers come back.
  void run(Duration by = 2ms) { pair.run(by); }
  testing::RecordingWaiter::Outcome outcome(uint64_t cookie) { return client().waiter.outcomes[cookie]; }
  size_t count(Code code) {
    return static_cast<size_t>(std::count_if(client().waiter.outcomes.begin(), client().waiter.outcomes.end(),
                                             [&](const auto& entry) { return entry.second.code == code; }));
  }
  uint64_t dropped(DropReason reason) {
    return pair.server->metrics.messages_dropped[static_cast<size_t>(reason)].value();
  }
  void work(Duration by) { pair.time.clock.move_to(pair.time.clock.now() + by); }
  TwoSessions::Side& client() { return *pair.client; }

  NullSink sink;
  TwoSessions pair;
  TestHandler one, two;
  std::vector<host::Handler*> units{&one, &two};
  app::DispatcherConfig config;
  Dispatcher dispatcher;
  uint64_t cookies = 0;
  uint64_t routes_version = 0;
  std::function<bool(host::ReplySink&)> on_ready;
  std::vector<std::pair<uint32_t, uint64_t>> withdrawn;  ///< unit and ticket
  std::optional<uint32_t> rests;
  std::function<bool(const Delivery&)> allows;
  std::string_view removed;  ///< an action that a reload took away
  bool session_gone = false;
  bool more = false;
};

}  // namespace

TEST_CASE("a request comes back with its handler's reply") {
  Fixture f;
  const uint64_t request = f.request("one", "body");
  f.run(1ms);
  REQUIRE_FALSE(f.client().waiter.settled(request));
  f.run(1ms);
  REQUIRE(f.outcome(request).status == wire::Status::kSuccess);
  REQUIRE(f.outcome(request).body == "body");
  REQUIRE(f.dispatcher.queued() == 0);
  REQUIRE(f.dispatcher.in_flight() == 0);
}

TEST_CASE("what nobody handles is answered at once: a request with a failure, an event with a refusal") {
  Fixture f;
  const uint64_t request = f.request("nobody"), event = f.event("nobody"), known = f.request("one");
  f.run();
  REQUIRE(f.outcome(request).code == Code::kHandlerNotFound);
  REQUIRE(f.outcome(event).code == Code::kHandlerNotFound);
  REQUIRE(f.outcome(known).code == Code::kOk);
  REQUIRE(f.pair.server->metrics.handler_not_found.value() == 2);
}

TEST_CASE("what is handled as another kind only is answered with those kinds") {
  Fixture f;
  const uint64_t known = f.event("noted"), command = f.request("noted"), nobody = f.request("nobody");
  f.run();
  CHECK(f.outcome(known).code == Code::kOk);
  CHECK(f.outcome(command).code == Code::kHandlerNotFound);
  CHECK(f.outcome(command).text == "noted: is handled as event, query; this was sent as command");
  CHECK(f.outcome(nobody).text == "nobody");
}

TEST_CASE("a failure tells the sender of a request when to try again, where something is said about that") {
  Fixture f;
  std::vector<std::string> told;
  f.client().waiter.on_headers = [&](std::span<const wire::Header> headers) {
    for (const wire::Header& header : headers)
      told.push_back(std::string(header.name) + " " + std::string(header.value));
  };
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) {
    const Duration later = as_text(delivery.body) == "later" ? Duration(1500ms) : Duration::zero();
    CHECK(sink.fail_for(delivery.ticket, Code::kRateLimited, "slow down", later) == ReplyOutcome::kAccepted);
  };
  const uint64_t event = f.event("one"), plain = f.request("one"), later = f.request("one", "later");
  f.run();
  CHECK(f.outcome(event).code == Code::kRateLimited);
  CHECK(f.outcome(plain).code == Code::kRateLimited);
  CHECK(f.outcome(later).text == "slow down");
  CHECK(told == std::vector<std::string>{"retry-after 1.5"});
}

TEST_CASE("what is not an action is answered as that, and not counted as one that nobody handles") {
  Fixture f;
  const uint64_t request = f.request("a..b"), event = f.event("on\xe2\x80\xae");
  f.run();
  REQUIRE(f.outcome(request).code == Code::kActionInvalid);
  REQUIRE(f.outcome(event).code == Code::kActionInvalid);
  REQUIRE(f.pair.server->metrics.handler_not_found.value() == 0);
}

TEST_CASE("a full queue answers DispatcherFull in the very turn, and what was queued is still handled") {
  Fixture f({.queue_messages_max = 10, .turn_budget = 20ms});
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    f.work(2ms);
    sink.reply(delivery.ticket, {}, {});
  };
  // The first ten fill the queue; room is made for ten more within the budget; then the turn's budget is used.
  for (int i = 0; i < 30; ++i) f.request("one");
  f.run(1ms);
  REQUIRE(f.dropped(DropReason::kQueueFull) == 10);
  f.run(100ms);
  REQUIRE(f.count(Code::kDispatcherFull) == 10);
  REQUIRE(f.count(Code::kOk) == 20);
  for (uint64_t cookie = 1; cookie <= 20; ++cookie) REQUIRE(f.outcome(cookie).code == Code::kOk);
}

TEST_CASE("a queue is full in bytes as well, and takes messages again when handlers took some out") {
  const std::string body(1000, 'x');
  Fixture f({.queue_bytes_max = 3 * body.size(), .turn_budget = 0ms});
  const auto& bytes = f.pair.server->metrics.dispatch_queue_bytes;
  for (int i = 0; i < 5; ++i) f.request("one", body);
  f.run();
  REQUIRE(f.count(Code::kDispatcherFull) == 2);
  REQUIRE(f.dropped(DropReason::kQueueFull) == 2);
  REQUIRE(f.dispatcher.queued() == 3);
  REQUIRE(bytes.value() >= int64_t(3 * body.size()));
  REQUIRE(f.dispatcher.queued_bytes() == size_t(bytes.value()));
  f.config.turn_budget = 20ms;
  const uint64_t next = f.request("one", body);
  f.run();
  REQUIRE(f.outcome(next).code == Code::kOk);
  REQUIRE(f.count(Code::kOk) == 4);
  REQUIRE(f.dispatcher.queued_bytes() == 0);
  REQUIRE(bytes.value() == 0);
}

TEST_CASE("what leaves the queue unhandled gives its bytes back as well") {
  const std::string body(1000, 'x');
  Fixture f({.turn_budget = 0ms});
  f.request("one", body, {.timeout = 5ms});
  f.request("one", body);
  f.request("two", body);
  f.run();
  REQUIRE(f.dispatcher.queued_bytes() > 3 * body.size());
  f.removed = "two";
  ++f.routes_version;
  f.run(10ms);
  f.session_gone = true;
  f.config.turn_budget = 20ms;
  f.dispatcher.run();
  REQUIRE(f.one.batches.empty());
  REQUIRE(f.dispatcher.queued_bytes() == 0);
}

TEST_CASE("an event that finds the queue full is refused with the code, never lost in silence") {
  Fixture f({.queue_messages_max = 1, .turn_budget = 0ms});
  const uint64_t first = f.event("one"), second = f.event("one");
  f.run();
  REQUIRE_FALSE(f.client().waiter.settled(first));
  REQUIRE(f.outcome(second).code == Code::kDispatcherFull);
}

TEST_CASE("handlers stop at the turn's budget and go on in the next turn") {
  Fixture f({.turn_budget = 20ms, .batch_messages_max = 1});
  size_t handled = 0;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    ++handled;
    f.work(5ms);
    sink.reply(delivery.ticket, {}, {});
  };
  for (int i = 0; i < 10; ++i) f.request("one");
  f.run(1ms);
  REQUIRE(handled == 4);
  REQUIRE(f.more);
  REQUIRE(f.dispatcher.queued() == 6);
  REQUIRE(f.dispatcher.run());
  REQUIRE(handled == 8);
  REQUIRE_FALSE(f.dispatcher.run());
  REQUIRE(handled == 10);
}

TEST_CASE("a slow handler gives the rest of its batch back, and nothing is lost, doubled or out of order") {
  Fixture f({.turn_budget = 20ms, .batch_messages_max = 64});
  std::vector<std::string> handled;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    handled.emplace_back(as_text(delivery.body));
    f.work(15ms);
    sink.reply(delivery.ticket, {}, {});
  };
  std::vector<std::string> sent;
  for (int i = 0; i < 9; ++i) f.request("one", sent.emplace_back(std::to_string(i)));
  f.run(1ms);
  REQUIRE(handled.size() == 2);
  REQUIRE(f.dispatcher.queued() == 7);
  REQUIRE(f.dispatcher.in_flight() == 0);
  const size_t bytes = f.dispatcher.queued_bytes();
  REQUIRE(f.dispatcher.run());
  REQUIRE(f.dispatcher.queued_bytes() == bytes / 7 * 5);
  while (f.dispatcher.run()) continue;
  REQUIRE(f.dispatcher.queued_bytes() == 0);
  REQUIRE(f.one.batches == std::vector<size_t>{2, 2, 2, 2, 1});
  f.run(1ms);
  REQUIRE(handled == sent);
  REQUIRE(f.count(Code::kOk) == 9);
}

TEST_CASE("what comes after a suspended message of its session waits for it; what does not, does not") {
  Fixture f;
  std::vector<std::string> handled;
  Ticket suspended;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    handled.emplace_back(as_text(delivery.body));
    if (handled.back() == "slow") return suspended = delivery.ticket, sink.suspend(delivery.ticket, true);
    sink.reply(delivery.ticket, delivery.body, {});
  };
  const uint64_t before = f.request("one", "before"), slow = f.request("one", "slow"),
                 after = f.request("one", "after");
  const uint64_t last = f.event("two");
  const uint64_t free = f.request("one", "free", {.order = session::Order::kUnordered});
  f.run();
  CHECK(handled == std::vector<std::string>{"before", "slow", "free"});
  CHECK(f.outcome(before).body == "before");
  CHECK(f.outcome(free).body == "free");
  CHECK_FALSE(f.client().waiter.settled(after));
  CHECK(f.dispatcher.queued() == 2);
  CHECK(f.dispatcher.in_flight() == 1);

  bool answered = false;
  f.on_ready = [&](host::ReplySink& sink) {
    if (std::exchange(answered, true)) return false;
    CHECK(sink.reply(suspended, as_bytes("at last"), {}) == ReplyOutcome::kAccepted);
    return false;
  };
  f.dispatcher.run();
  f.on_ready = nullptr;
  f.run();
  CHECK(handled.back() == "after");
  CHECK(f.outcome(slow).body == "at last");
  CHECK(f.outcome(after).body == "after");
  CHECK(f.outcome(last).status == wire::Status::kSuccess);
  CHECK(f.dispatcher.queued() == 0);
  CHECK(f.dispatcher.in_flight() == 0);
}

TEST_CASE("a suspended event is acknowledged when its handler has done with it, or refused with its code") {
  const bool good = GENERATE(true, false);
  Fixture f;
  Ticket suspended;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    suspended = delivery.ticket;
    sink.suspend(delivery.ticket, true);
  };
  const uint64_t event = f.event("one");
  f.run(100ms);
  CHECK_FALSE(f.client().waiter.settled(event));
  good ? f.dispatcher.done(suspended) : (void)f.dispatcher.fail(suspended, Code::kHandlerFailed, "no");
  f.run(100ms);
  CHECK(f.outcome(event).code == (good ? Code::kOk : Code::kHandlerFailed));
}

TEST_CASE("a message that outlived its ttl in the queue is dropped and its sender told") {
  Fixture f({.turn_budget = 10ms, .batch_messages_max = 1});
  size_t handled = 0;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    ++handled;
    f.work(50ms);
    sink.done(delivery.ticket);
  };
  f.event("one");
  const uint64_t patient = f.event("one", {.ttl = 80ms}), hasty = f.event("one", {.ttl = 100ms});
  f.run(200ms);
  f.dispatcher.run();
  f.dispatcher.run();
  f.run(2ms);
  REQUIRE(handled == 2);
  REQUIRE(f.outcome(patient).code == Code::kOk);
  REQUIRE(f.outcome(hasty).code == Code::kMessageExpired);
  REQUIRE(f.dropped(DropReason::kExpired) == 1);
}

TEST_CASE("a request whose caller has stopped waiting is not handled any more") {
  Fixture f({.turn_budget = 10ms, .batch_messages_max = 1});
  size_t handled = 0;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    ++handled;
    f.work(50ms);
    sink.reply(delivery.ticket, {}, {});
  };
  f.request("one");
  const uint64_t hasty = f.request("one", {}, {.timeout = 30ms});
  f.run(100ms);
  f.dispatcher.run();
  REQUIRE(handled == 1);
  REQUIRE(f.outcome(hasty).code == Code::kDeadlineExceeded);
  REQUIRE(f.dropped(DropReason::kExpired) == 1);
}

TEST_CASE("a ticket answers once; afterwards it is stale") {
  Fixture f;
  ReplyOutcome second{}, failure{};
  Ticket old;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    REQUIRE(sink.reply(delivery.ticket, as_bytes("first"), {}) == ReplyOutcome::kAccepted);
    second = sink.reply(delivery.ticket, as_bytes("second"), {});
    failure = sink.fail(delivery.ticket, Code::kHandlerFailed, "");
    sink.done(delivery.ticket);
    old = delivery.ticket;
  };
  const uint64_t request = f.request("one");
  f.run();
  REQUIRE(second == ReplyOutcome::kStale);
  REQUIRE(failure == ReplyOutcome::kStale);
  REQUIRE(f.outcome(request).body == "first");
  REQUIRE(f.outcome(request).times == 1);

  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    REQUIRE(sink.reply(old, as_bytes("from an earlier message"), {}) == ReplyOutcome::kStale);
    REQUIRE(sink.reply(delivery.ticket, as_bytes("own"), {}) == ReplyOutcome::kAccepted);
  };
  const uint64_t next = f.request("one");
  f.run();
  REQUIRE(f.outcome(next).body == "own");
  REQUIRE(f.dispatcher.reply(Ticket{}, {}, {}) == ReplyOutcome::kStale);
  REQUIRE(f.dispatcher.reply(Ticket{uint64_t{1} << 32 | 12345}, {}, {}) == ReplyOutcome::kStale);
}

TEST_CASE("a handler that ends without a reply to a request says NoReply; for an event that is the normal end") {
  Fixture f;
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) { sink.done(delivery.ticket); };
  const uint64_t request = f.request("one"), event = f.event("one");
  f.run();
  REQUIRE(f.outcome(request).code == Code::kNoReply);
  REQUIRE(f.outcome(event).status == wire::Status::kSuccess);
}

TEST_CASE("an event takes no reply, but may fail") {
  Fixture f;
  ReplyOutcome reply{};
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    reply = sink.reply(delivery.ticket, {}, {});
    REQUIRE(sink.fail(delivery.ticket, Code::kHandlerFailed, "broken") == ReplyOutcome::kAccepted);
  };
  const uint64_t event = f.event("one");
  f.run();
  REQUIRE(reply == ReplyOutcome::kNotExpected);
  REQUIRE(f.outcome(event).code == Code::kHandlerFailed);
  REQUIRE(f.dispatcher.in_flight() == 0);
}

TEST_CASE("a reply that is too large does not use up the ticket") {
  Fixture f;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    const std::vector<uint8_t> large((1 << 20) + 1);
    REQUIRE(sink.reply(delivery.ticket, large, {}) == ReplyOutcome::kTooLarge);
    REQUIRE(sink.fail(delivery.ticket, Code::kMessageTooLarge, "") == ReplyOutcome::kAccepted);
  };
  const uint64_t request = f.request("one");
  f.run();
  REQUIRE(f.outcome(request).code == Code::kMessageTooLarge);
}

TEST_CASE("a reply may come long after the handler returned") {
  Fixture f;
  Ticket ticket;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink&) { ticket = delivery.ticket; };
  const uint64_t request = f.request("one");
  f.run(10s);
  REQUIRE(f.dispatcher.in_flight() == 1);
  REQUIRE_FALSE(f.client().waiter.settled(request));
  REQUIRE(f.dispatcher.reply(ticket, as_bytes("late"), {}) == ReplyOutcome::kAccepted);
  f.run();
  REQUIRE(f.outcome(request).body == "late");
  REQUIRE(f.dispatcher.in_flight() == 0);
}

TEST_CASE("messages of one unit enter it together, up to the batch size, and nobody passes anybody") {
  Fixture f({.batch_messages_max = 4});
  std::vector<uint64_t> order;
  for (TestHandler* handler : {&f.one, &f.two}) {
    handler->on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
      order.push_back(delivery.message_id);
      sink.done(delivery.ticket);
    };
  }
  for (const char* action : {"one", "one", "two", "one", "one", "one", "one", "one", "two"}) f.event(action);
  f.run();
  std::vector<uint64_t> sent(9);
  std::iota(sent.begin(), sent.end(), 1);
  REQUIRE(order == sent);
  REQUIRE(f.one.batches == std::vector<size_t>{2, 4, 1});
  REQUIRE(f.two.batches == std::vector<size_t>{1, 1});
}

TEST_CASE("an event is acknowledged after its handler ran and not while it waits in the queue") {
  Fixture f({.turn_budget = 0ms});
  const uint64_t event = f.event("one");
  f.run(1s);
  REQUIRE(f.dispatcher.queued() == 1);
  REQUIRE_FALSE(f.client().waiter.settled(event));
  f.config.turn_budget = 20ms;
  f.run(2ms);
  REQUIRE(f.outcome(event).status == wire::Status::kSuccess);
}

TEST_CASE("when a unit is gone its queued messages are answered") {
  Fixture f;
  f.units[0] = nullptr;
  const uint64_t request = f.request("one"), event = f.event("one");
  f.run();
  REQUIRE(f.outcome(request).code == Code::kHandlerNotFound);
  REQUIRE(f.outcome(event).code == Code::kHandlerNotFound);
}

TEST_CASE("after a reload a queued message goes where the new routes want it, and is answered when nobody wants it") {
  Fixture f({.turn_budget = 0ms});
  const uint64_t gone = f.request("one"), kept = f.request("two");
  f.run(1ms);
  f.removed = "one";
  ++f.routes_version;
  f.config.turn_budget = 20ms;
  f.run();
  REQUIRE(f.outcome(gone).code == Code::kHandlerNotFound);
  REQUIRE(f.outcome(kept).code == Code::kOk);
  REQUIRE(f.one.batches.empty());
}

TEST_CASE("messages for a unit that rests wait, with what follows them in order, and nobody passes anybody") {
  Fixture f;
  std::string handled;
  const auto keep = [&](const Delivery& delivery, host::ReplySink& sink) {
    handled += as_text(delivery.body);
    sink.reply(delivery.ticket, {}, {});
  };
  f.one.on_message = keep;
  f.two.on_message = keep;
  f.rests = 1;
  f.request("one", "a");
  f.request("two", "b");
  f.request("one", "c");
  f.request("two", "d");
  f.request("one", "u", {.order = session::Order::kUnordered});
  f.run();
  CHECK(handled == "au");
  CHECK(f.dispatcher.queued() == 3);
  f.rests.reset();
  f.run();
  CHECK(handled == "aubcd");
  CHECK(f.dispatcher.queued() == 0);
  f.request("two", "e");
  f.run();
  CHECK(handled == "aubcde");
}

TEST_CASE("messages of a session that ended are dropped and counted, and late verdicts harm nobody") {
  Fixture f({.turn_budget = 0ms});
  f.request("one");
  f.run(1ms);
  f.session_gone = true;
  f.config.turn_budget = 20ms;
  REQUIRE_FALSE(f.dispatcher.run());
  REQUIRE(f.one.batches.empty());
  REQUIRE(f.dropped(DropReason::kClosed) == 1);

  f.session_gone = false;
  Ticket ticket;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink&) { ticket = delivery.ticket; };
  f.request("one");
  f.run();
  f.session_gone = true;
  REQUIRE(f.dispatcher.fail(ticket, Code::kHandlerFailed, "") == ReplyOutcome::kAccepted);
  REQUIRE(f.dispatcher.in_flight() == 0);
}

TEST_CASE("a draining server answers what it has and refuses what is new") {
  Fixture f({.turn_budget = 0ms});
  const uint64_t before = f.request("one");
  f.run(1ms);
  f.dispatcher.drain();
  const uint64_t request = f.request("one"), event = f.event("one");
  f.config.turn_budget = 20ms;
  f.run();
  REQUIRE(f.outcome(before).code == Code::kOk);
  REQUIRE(f.outcome(request).code == Code::kServerDraining);
  REQUIRE(f.outcome(event).code == Code::kServerDraining);
}

TEST_CASE("a message that is handed on is answered by the handler it went to, once") {
  Fixture f;
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) {
    REQUIRE(sink.forward(delivery, "two"));
    CHECK(sink.reply(delivery.ticket, {}, {}) == ReplyOutcome::kStale);
    CHECK(sink.forward(delivery, "two").error().code == Code::kStaleHandle);
  };
  std::string seen;
  f.two.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    seen = std::string(delivery.action) + " " + std::string(as_text(delivery.body));
    echo(delivery, sink);
  };
  const uint64_t request = f.request("one", "body");
  f.run();
  CHECK(seen == "two body");
  CHECK(f.outcome(request).body == "body");
  CHECK(f.dispatcher.in_flight() == 0);
  CHECK(f.dispatcher.queued_bytes() == 0);
}

TEST_CASE("an event that is handed on is acknowledged, or refused, by where it went") {
  Fixture f;
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) { REQUIRE(sink.forward(delivery, "two")); };
  f.two.on_message = [](const Delivery& delivery, host::ReplySink& sink) {
    sink.fail(delivery.ticket, Code::kValueWrong, "no");
  };
  const uint64_t event = f.event("one");
  f.run(30ms);
  CHECK(f.outcome(event).code == Code::kValueWrong);
}

TEST_CASE("what comes later in a session does not overtake a message that is handed on") {
  Fixture f;
  std::vector<std::string> order;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    order.push_back("one " + std::string(as_text(delivery.body)));
    if (as_text(delivery.body) == "1") REQUIRE(sink.forward(delivery, "two"));
    if (as_text(delivery.body) != "1") echo(delivery, sink);
  };
  f.two.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    order.push_back("two " + std::string(as_text(delivery.body)));
    echo(delivery, sink);
  };
  for (const char* body : {"1", "2", "3"}) f.request("one", body);
  f.run();
  CHECK(order == std::vector<std::string>{"one 1", "two 1", "one 2", "one 3"});
}

TEST_CASE("the same holds after its handler had waited") {
  Fixture f;
  std::vector<std::string> order;
  const std::string body = "1";
  std::optional<Delivery> waiting;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    order.push_back("one " + std::string(as_text(delivery.body)));
    if (as_text(delivery.body) != "1") return echo(delivery, sink);
    waiting = delivery;
    waiting->body = as_bytes(body);
    waiting->headers = {};
    sink.suspend(delivery.ticket, true);
  };
  f.two.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    order.push_back("two " + std::string(as_text(delivery.body)));
    echo(delivery, sink);
  };
  const uint64_t first = f.request("one", "1");
  f.request("one", "2");
  f.run();
  REQUIRE(waiting);
  CHECK(order == std::vector<std::string>{"one 1"});
  f.on_ready = [&](host::ReplySink& sink) {
    if (waiting) REQUIRE(sink.forward(*std::exchange(waiting, {}), "two"));
    return false;
  };
  f.run();
  CHECK(order == std::vector<std::string>{"one 1", "two 1", "one 2"});
  CHECK(f.outcome(first).body == "1");
  CHECK(f.dispatcher.in_flight() == 0);
}

TEST_CASE("a message that goes in a circle ends, counted, and its sender is told") {
  Fixture f;
  size_t hops = 0;
  const auto bounce = [&](std::string_view to) {
    return [&hops, to](const Delivery& delivery, host::ReplySink& sink) {
      const Status sent = sink.forward(delivery, to);
      hops += sent.has_value();
      if (!sent) CHECK(sent.error().code == Code::kForwardLimit);
    };
  };
  f.one.on_message = bounce("two");
  f.two.on_message = bounce("one");
  const uint64_t request = f.request("one");
  f.run();
  CHECK(f.outcome(request).code == Code::kForwardLimit);
  CHECK(hops == Dispatcher::kHopsMax);
  CHECK(f.dropped(DropReason::kLoop) == 1);
  CHECK(f.dispatcher.in_flight() == 0);
}

TEST_CASE("a message is not handed on to nobody: it stays with its handler") {
  Fixture f;
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) {
    CHECK(sink.forward(delivery, "three").error().code == Code::kHandlerNotFound);
    CHECK(sink.forward(delivery, "..").error().code == Code::kActionInvalid);
    echo(delivery, sink);
  };
  const uint64_t request = f.request("one", "x");
  f.run();
  CHECK(f.outcome(request).body == "x");
}

TEST_CASE("what its sender may not do never reaches the handler, and the rest of the batch does") {
  Fixture f;
  f.allows = [](const Delivery& delivery) { return as_text(delivery.body) != "no"; };
  size_t handled = 0;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    ++handled;
    CHECK(as_text(delivery.body) != "no");
    echo(delivery, sink);
  };
  std::vector<uint64_t> requests;
  for (const char* body : {"no", "a", "no", "b", "no"}) requests.push_back(f.request("one", body));
  f.run();
  CHECK(handled == 2);
  CHECK(f.one.batches == std::vector<size_t>{2});
  CHECK(f.outcome(requests[1]).body == "a");
  CHECK(f.outcome(requests[3]).body == "b");
  for (const size_t refused : {0, 2, 4}) CHECK(f.outcome(requests[refused]).code == Code::kForbidden);
  CHECK(f.dropped(DropReason::kForbidden) == 3);
  CHECK(f.dispatcher.in_flight() == 0);
  CHECK(f.dispatcher.queued_bytes() == 0);
}

TEST_CASE("a forbidden event is refused to its sender") {
  Fixture f;
  f.allows = [](const Delivery&) { return false; };
  const uint64_t event = f.event("one");
  f.run(30ms);
  CHECK(f.outcome(event).code == Code::kForbidden);
  CHECK(f.one.batches.empty());
}

TEST_CASE("messages that a handler gave back are not asked about twice, unless the handlers have changed") {
  const bool reloaded = GENERATE(false, true);
  Fixture f;
  size_t asked = 0;
  f.allows = [&](const Delivery&) { return ++asked > 0; };
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    f.work(30ms);  // more than a turn's budget: the rest is given back
    echo(delivery, sink);
    if (reloaded && f.one.batches.empty()) ++f.routes_version;
  };
  for (int i = 0; i < 3; ++i) f.request("one");
  for (int turns = 0; turns < 3; ++turns) f.run(40ms);
  CHECK(f.one.batches == std::vector<size_t>{1, 1, 1});
  CHECK(asked == (reloaded ? 5 : 3));
}

TEST_CASE("a message that is handed on is asked about again") {
  Fixture f;
  f.allows = [](const Delivery& delivery) { return delivery.action != "two"; };
  f.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) { REQUIRE(sink.forward(delivery, "two")); };
  const uint64_t request = f.request("one");
  f.run();
  CHECK(f.outcome(request).code == Code::kForbidden);
  CHECK(f.two.batches.empty());
}

TEST_CASE("a withdrawn request that waits for its handler never enters it, and frees its place") {
  Fixture f({.turn_budget = 0ms});
  f.request("one", "first");
  f.request("one", "second");
  f.request("two", "third");
  f.run();
  REQUIRE(f.dispatcher.queued() == 3);
  CHECK(f.dispatcher.cancel(f.pair.server->session, 2));
  CHECK_FALSE(f.dispatcher.cancel(f.pair.server->session, 2));
  CHECK_FALSE(f.dispatcher.cancel(f.pair.server->session, 77));
  CHECK(f.dropped(DropReason::kCancelled) == 1);
  CHECK(f.withdrawn.empty());
  std::vector<std::string> handled;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    handled.emplace_back(as_text(delivery.body));
    echo(delivery, sink);
  };
  f.config.turn_budget = 20ms;
  f.run(100ms);
  CHECK(handled == std::vector<std::string>{"first"});
  CHECK(f.dispatcher.queued_bytes() == 0);
  CHECK(f.client().session.outbox().unsettled() == 0);
}

TEST_CASE("a withdrawn request that is suspended is over, its handler is told, and what it held up goes on") {
  Fixture f;
  Ticket suspended;
  f.two.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    suspended = delivery.ticket;
    sink.suspend(delivery.ticket, true);
  };
  f.request("two", "long");
  const uint64_t held = f.request("one", "held"), also_held = f.request("one", "also held");
  f.run();
  REQUIRE(f.dispatcher.in_flight() == 1);
  REQUIRE(f.dispatcher.queued() == 2);
  CHECK(f.dispatcher.cancel(f.pair.server->session, 3));  // one of those that wait behind it
  CHECK(f.dispatcher.cancel(f.pair.server->session, 1));
  CHECK(f.withdrawn == std::vector<std::pair<uint32_t, uint64_t>>{{1, suspended.bits}});
  CHECK(f.pair.server->metrics.handlers_cancelled.value() == 1);
  CHECK(f.dispatcher.reply(suspended, {}, {}) == ReplyOutcome::kStale);
  f.run(100ms);
  CHECK(f.outcome(held).body == "held");
  CHECK_FALSE(f.client().waiter.settled(also_held));
  CHECK(f.dispatcher.in_flight() == 0);
  CHECK(f.dispatcher.queued() == 0);
}

TEST_CASE("an event of the same number is no request, and cannot be withdrawn") {
  Fixture f({.turn_budget = 0ms});
  f.event("one");
  f.run();
  CHECK_FALSE(f.dispatcher.cancel(f.pair.server->session, 1));
  CHECK(f.dispatcher.queued() == 1);
}

TEST_CASE("what a handler binds to a response is handled around it, be it given now, later or not at all") {
  Fixture f;
  std::vector<std::string> seen;
  f.client().on_arrival = [&](const wire::Envelope& envelope, Bytes) {
    seen.emplace_back(envelope.action);
    f.client().session.handled(envelope.seq);
  };
  f.client().waiter.on_headers = [&](auto) { seen.emplace_back("response"); };
  const host::SessionView sender{f.pair.server->session.id().to_u64(), {}, {}, {}};
  std::optional<Delivery> kept;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    const std::string_view how = as_text(delivery.body);
    CHECK(sink.notify(delivery, session::Bound::kAfter, {.action = "after"}));
    CHECK(sink.notify(delivery, session::Bound::kBefore, {.action = "before"}));
    if (how == "later") {
      kept = delivery;
      return sink.suspend(delivery.ticket, false);
    }
    if (how == "fail") sink.fail(delivery.ticket, Code::kForbidden, "no");
    if (how == "reply") {
      sink.reply(delivery.ticket, {}, {});
      Delivery answered = delivery;
      answered.session = &sender;
      CHECK(sink.notify(answered, session::Bound::kBefore, {.action = "too late"}).error().code == Code::kStaleHandle);
      CHECK(sink.notify(answered, session::Bound::kAfter, {.action = "late"}));
    }
    sink.done(delivery.ticket);
  };
  f.request("one", "reply");
  f.run(10ms);
  CHECK(seen == std::vector<std::string>{"before", "response", "after", "late"});
  for (const char* how : {"fail", "nothing"}) {
    seen.clear();
    f.request("one", how);
    f.run(10ms);
    CHECK(seen == std::vector<std::string>{"before", "response", "after"});
  }
  seen.clear();
  f.request("one", "later");
  f.run(10ms);
  CHECK(seen.empty());
  f.dispatcher.reply(kept->ticket, {}, {});
  f.run(10ms);
  CHECK(seen == std::vector<std::string>{"before", "response", "after"});
  CHECK(f.pair.server->session.bound_events() == 0);
}

TEST_CASE("nothing can be bound to an event, or to a message that nobody knows") {
  Fixture f;
  std::vector<Code> codes;
  f.one.on_message = [&](const Delivery& delivery, host::ReplySink& sink) {
    codes.push_back(sink.notify(delivery, session::Bound::kAfter, {.action = "after"}).error().code);
    const Delivery unknown{.ticket = {~uint64_t{0}}, .kind = Kind::kCommand};
    codes.push_back(sink.notify(unknown, session::Bound::kBefore, {.action = "before"}).error().code);
    sink.done(delivery.ticket);
  };
  f.event("one");
  f.run();
  CHECK(codes[0] == Code::kReplyNotExpected);
  CHECK(f.pair.server->session.bound_events() == 0);
  CHECK(codes[1] == Code::kStaleHandle);
}

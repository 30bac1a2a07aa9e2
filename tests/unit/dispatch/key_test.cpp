#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "app/dispatcher.h"
#include "two_sessions.h"

using namespace godwit;
using app::Dispatcher;
using host::Delivery;
using testing::TwoSessions;

namespace {

class NullSink final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// Says of each key what the test wants, when the test wants it.
class TestOnce final : public host::Once {
 public:
  struct Asked {
    std::string space;
    std::string key;
    host::OnceOptions options;
    Done done;
  };
  class Run final : public host::OnceRun {
   public:
    explicit Run(TestOnce& once) : once_(once) {}
    ~Run() override {
      if (!finished_) ++(entered_ ? once_.broken_off : once_.withdrawn);
    }
    void enter() override { entered_ = true; }
    void finish(host::OnceOutcome outcome, std::function<void()> done) override {
      finished_ = true;
      once_.kept.emplace_back(std::move(outcome), std::move(done));
    }

   private:
    TestOnce& once_;
    bool entered_ = false;
    bool finished_ = false;
  };

  void begin(std::string_view space, std::string_view key, const host::OnceOptions& options, Done done) override {
    asked.push_back({std::string(space), std::string(key), options, std::move(done)});
    if (at_once) execute();
  }
  void execute() { answer(Begun{std::make_shared<Run>(*this), {}}); }
  void answer(Result<Begun> begun) {
    const Asked first = std::move(asked.front());
    asked.pop_front();
    last = {first.space, first.key, first.options, {}};
    first.done(std::move(begun));
  }

  bool at_once = false;
  std::deque<Asked> asked;
  Asked last;
  std::deque<std::pair<host::OnceOutcome, std::function<void()>>> kept;
  size_t broken_off = 0;
  size_t withdrawn = 0;
};

class TestHandler final : public host::Handler {
 public:
  std::function<void(const Delivery&, host::ReplySink&)> on_message = [](const Delivery& delivery,
                                                                         host::ReplySink& sink) {
    sink.reply(delivery.ticket, delivery.body, {});
    sink.done(delivery.ticket);
  };
  std::vector<std::string> bodies;

  size_t handle(std::span<const Delivery> batch, host::ReplySink& sink) override {
    size_t taken = 0;
    while (taken < batch.size() && (taken == 0 || !sink.enough())) {
      bodies.emplace_back(as_text(batch[taken].body));
      on_message(batch[taken++], sink);
    }
    return taken;
  }
  std::optional<host::OnceOptions::BrokenOff> once(uint32_t handler) const override {
    return handler == 0 ? std::optional(host::OnceOptions::BrokenOff::kUnknown) : std::nullopt;
  }
  std::string_view name() const override { return "test@1"; }
};

/// Action "pay" has a handler that is idempotent, "plain" one that is not.
struct World : Dispatcher::Handlers, Dispatcher::Sessions {
  World() {
    pair.server->on_arrival = [this](const wire::Envelope& envelope, Bytes body) {
      dispatcher->submit(pair.server->session, {envelope, body});
    };
    pair.on_turn_end = [this] { dispatcher->run(); };
  }
  const routing::Target* find(wire::Kind, std::string_view action) override {
    static constexpr routing::Target kTargets[] = {{0, 0}, {0, 1}};
    return action == "gone" ? nullptr : action == "pay" ? &kTargets[0] : &kTargets[1];
  }
  host::Handler* handler(uint32_t) override { return handler_gone ? nullptr : &one; }
  bool run_ready(host::ReplySink&) override { return false; }
  uint64_t version() const override { return 0; }
  host::Once* once() override { return &keys; }
  session::Session* find_session(session::SessionId) override { return &pair.server->session; }
  const host::SessionView* view_session(session::SessionId) override { return &view; }

  uint64_t request(std::string_view action, std::string_view body, std::string_view key = "k",
                   wire::Kind kind = wire::Kind::kCommand) {
    const wire::Header header{"idempotency-key", key};
    session::SendOptions options;
    if (!key.empty()) options.headers = {&header, 1};
    REQUIRE(pair.client->session.request(kind, action, as_bytes(body), options, pair.client->waiter.cookie(++cookies)));
    return cookies;
  }
  void run() { pair.run(2ms); }
  bool settled(uint64_t cookie) { return pair.client->waiter.settled(cookie); }
  testing::RecordingWaiter::Outcome outcome(uint64_t cookie) { return pair.client->waiter.outcomes[cookie]; }
  void keep() {
    const auto kept = std::move(keys.kept.front());
    keys.kept.pop_front();
    kept.second();
  }

  NullSink sink;
  TestOnce keys;
  TwoSessions pair;
  TestHandler one;
  host::SessionView view{1, "device", "ada", "127.0.0.1:1"};
  bool handler_gone = false;
  app::DispatcherConfig config;
  std::unique_ptr<Dispatcher> dispatcher =
      std::make_unique<Dispatcher>(config, pair.time.clock, pair.server->metrics, Log(sink, "dispatch"), *this, *this);
  uint64_t cookies = 0;
};

}  // namespace

TEST_CASE("a command with a key enters its handler once it may, and is answered when the answer is kept") {
  World world;
  const uint64_t request = world.request("pay", "10");
  world.run();
  CHECK(world.one.bodies.empty());
  CHECK(world.dispatcher->queued() == 1);
  REQUIRE(world.keys.asked.size() == 1);
  world.keys.execute();
  CHECK(world.keys.last.space == "uid/ada");
  CHECK(world.keys.last.key == "k");
  world.run();
  CHECK(world.one.bodies == std::vector<std::string>{"10"});
  CHECK_FALSE(world.settled(request));
  CHECK(world.dispatcher->in_flight() == 1);
  REQUIRE(world.keys.kept.size() == 1);
  CHECK(world.keys.kept.front().first.body == "10");
  world.keep();
  world.run();
  CHECK(world.outcome(request).body == "10");
  CHECK(world.dispatcher->in_flight() == 0);
  CHECK(world.keys.broken_off + world.keys.withdrawn == 0);
}

TEST_CASE("a repetition is answered as the first was, without its handler") {
  World world;
  const uint64_t good = world.request("pay", "10"), bad = world.request("pay", "20", "other");
  world.run();
  world.keys.answer(host::Once::Begun{nullptr, {Code::kOk, {}, "kept", {}}});
  world.run();
  world.keys.answer(host::Once::Begun{nullptr, {Code::kForbidden, "not you", {}, {}}});
  world.run();
  CHECK(world.one.bodies.empty());
  CHECK(world.outcome(good).body == "kept");
  CHECK(world.outcome(bad).code == Code::kForbidden);
  CHECK(world.outcome(bad).text == "not you");
  CHECK(world.dispatcher->queued() == 0);
  CHECK(world.dispatcher->queued_bytes() == 0);
}

TEST_CASE("what cannot be decided is told") {
  World world;
  const uint64_t request = world.request("pay", "10");
  world.run();
  world.keys.answer(fail(Code::kOperationExecuting, "it is being executed"));
  world.run();
  CHECK(world.outcome(request).code == Code::kOperationExecuting);
}

TEST_CASE("messages keep their order around one whose key is looked up") {
  World world;
  world.keys.at_once = GENERATE(false, true);
  world.request("plain", "1", "");
  world.request("pay", "2");
  world.request("plain", "3", "");
  world.run();
  if (!world.keys.at_once) {
    CHECK(world.one.bodies == std::vector<std::string>{"1"});
    world.keys.execute();
    world.run();
  }
  CHECK(world.one.bodies == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("only commands with a key, for handlers that are idempotent, are asked about") {
  World world;
  world.request("pay", "1", "");
  world.request("pay", "2", "k", wire::Kind::kQuery);
  world.request("plain", "3", "k");
  world.run();
  CHECK(world.one.bodies.size() == 3);
  CHECK(world.keys.asked.empty());
}

TEST_CASE("another action or body has another fingerprint") {
  World world;
  std::vector<uint64_t> seen;
  for (const char* body : {"10", "20", "10"}) {
    world.request("pay", body);
    world.run();
    world.keys.answer(fail(Code::kOperationExecuting));
    seen.push_back(world.keys.last.options.fingerprint);
    world.run();
  }
  CHECK(seen[0] != seen[1]);
  CHECK(seen[0] == seen[2]);
}

TEST_CASE("a refusal gives the right to execute back, an interruption breaks it off; both are told at once") {
  World world;
  const auto [code, broken_off] = GENERATE(
      table<Code, size_t>({{Code::kHandlerSuspended, 0}, {Code::kScriptTimeout, 1}, {Code::kScriptRetired, 1}}));
  world.one.on_message = [code = code](const Delivery& delivery, host::ReplySink& sink) {
    sink.fail(delivery.ticket, code, "why");
  };
  const uint64_t request = world.request("pay", "10");
  world.run();
  world.keys.execute();
  world.run();
  CHECK(world.outcome(request).code == code);
  CHECK(world.keys.broken_off == broken_off);
  CHECK(world.keys.withdrawn == 1 - broken_off);
}

TEST_CASE("a handler that ends without an answer, and one that is gone") {
  World world;
  world.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) { sink.done(delivery.ticket); };
  world.request("pay", "10");
  world.run();
  world.keys.execute();
  world.run();
  CHECK(world.keys.kept.front().first.code == Code::kNoReply);
  world.keep();

  const uint64_t late = world.request("pay", "20", "other");
  world.run();
  world.handler_gone = true;
  world.keys.execute();
  world.run();
  CHECK(world.outcome(late).code == Code::kHandlerNotFound);
  CHECK(world.keys.withdrawn == 1);
}

TEST_CASE("what a handler has in hand when the server ends has broken off") {
  World world;
  TestOnce* keys = &world.keys;
  world.one.on_message = [](const Delivery& delivery, host::ReplySink& sink) { sink.suspend(delivery.ticket, true); };
  world.request("pay", "10");
  world.run();
  keys->execute();
  world.run();
  CHECK(keys->broken_off == 0);
  world.dispatcher.reset();
  CHECK(keys->broken_off == 1);
}

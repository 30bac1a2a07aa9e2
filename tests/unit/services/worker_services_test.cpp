#include "app/worker_services.h"

#include "test_worker.h"

using namespace godwit;
using host::SessionKey;
using testing::TestWorker;
using Strings = std::vector<std::string>;

namespace {

/// What completions heard: one word each.
struct Heard {
  host::Completion into() {
    return [this](const session::Reply& reply) {
      words.push_back(reply.code == Code::kOk ? "ok:" + std::string(as_text(reply.body)) : name_of(reply.code));
      for (const wire::Header& header : reply.headers) words.back() += " " + std::string(header.value);
    };
  }
  Strings words;
};

/// Two workers in one thread, so that the test says when each has its turn.
struct Fixture {
  Fixture() {
    one.services.connect(1, two.mailbox, two.services);
    two.services.connect(0, one.mailbox, one.services);
  }
  void turn(TestWorker& worker) {
    worker.mailbox.run();
    worker.services.end_turn();
  }
  /// Until what was asked and answered has arrived.
  void turns() {
    for (int i = 0; i < 3; ++i) {
      turn(one);
      turn(two);
    }
  }

  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  TestWorker one{0, directory};
  TestWorker two{1, directory};
  Heard heard;
};

host::Outgoing message(std::string_view action, std::string_view body = {}) {
  return {.action = action, .body = as_bytes(body)};
}

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "an event for a session of the same worker goes at once, and is confirmed when acknowledged") {
  const SessionKey key = one.open();
  REQUIRE(one.services.send(key, message("hello", "x"), heard.into()));
  CHECK(one.client(key).actions() == Strings{"hello"});
  turns();
  CHECK(heard.words.empty());
  one.client(key).acknowledge_all();
  CHECK(heard.words == Strings{"ok:"});
}

TEST_CASE_METHOD(Fixture, "what is for another worker gathers, travels at the end of the turn, and keeps its order") {
  const SessionKey key = two.open();
  for (const char* action : {"a", "b"}) REQUIRE(one.services.send(key, message(action), {}));
  REQUIRE(one.services.request(key, wire::Kind::kCommand, message("c"), heard.into()));
  REQUIRE(one.services.broadcast({}, 0, message("d"), {}));
  turn(two);
  CHECK(two.client(key).got.empty());
  turn(one);
  turn(two);
  CHECK(two.client(key).actions() == Strings{"a", "b", "c", "d"});
}

TEST_CASE_METHOD(Fixture, "a reply comes back from another worker with its headers and body") {
  const SessionKey key = two.open();
  REQUIRE(one.services.request(key, wire::Kind::kQuery, message("ask"), heard.into()));
  turns();
  CHECK(heard.words.empty());
  const wire::Header headers[] = {{"unit", "cm"}};
  two.client(key).reply("42", headers);
  turn(two);
  CHECK(heard.words.empty());
  turn(one);
  CHECK(heard.words == Strings{"ok:42 cm"});
}

TEST_CASE_METHOD(Fixture, "for a session that is nowhere every call says so at once") {
  const SessionKey key = two.open();
  two.end(key);
  CHECK(one.services.send(key, message("a"), heard.into()).error().code == Code::kStaleHandle);
  CHECK(one.services.request(key, wire::Kind::kCommand, message("a"), heard.into()).error().code == Code::kStaleHandle);
  CHECK(one.services.close(key, Code::kPeerClosed, "").error().code == Code::kStaleHandle);
  CHECK(one.services.stats(key, [](auto) {}).error().code == Code::kStaleHandle);
  CHECK(one.services.join(key, "room").error().code == Code::kStaleHandle);
  turns();
  CHECK(heard.words.empty());
}

TEST_CASE_METHOD(Fixture, "a session that ends while something is on its way to it answers with that") {
  const SessionKey key = two.open();
  REQUIRE(one.services.send(key, message("a"), heard.into()));
  turn(one);
  two.end(key);
  turns();
  CHECK(heard.words == Strings{"StaleHandle"});
}

TEST_CASE_METHOD(Fixture, "a session that ends with replies open fails them, here and there") {
  const SessionKey here = one.open();
  const SessionKey there = two.open();
  REQUIRE(one.services.request(here, wire::Kind::kCommand, message("a"), heard.into()));
  REQUIRE(one.services.request(there, wire::Kind::kCommand, message("a"), heard.into()));
  turns();
  one.end(here);
  CHECK(heard.words == Strings{"ConnectionLost"});
  two.end(there);
  turns();
  CHECK(heard.words == Strings{"ConnectionLost", "ConnectionLost"});
}

TEST_CASE_METHOD(Fixture, "who waits for an acknowledgement or a reply that does not come hears so in time") {
  const SessionKey there = two.open();
  host::Outgoing outgoing = message("a");
  outgoing.timeout = 2s;
  REQUIRE(one.services.send(there, outgoing, heard.into()));
  turns();
  one.time.advance(2s - 1ms);
  CHECK(heard.words.empty());
  one.time.advance(1ms);
  CHECK(heard.words == Strings{"DeadlineExceeded"});
  two.client(there).acknowledge_all();
  turns();
  CHECK(heard.words.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a request that is withdrawn ends with that word, and its client hears so, on any worker") {
  TestWorker& owner = GENERATE(false, true) ? one : two;
  const SessionKey key = owner.open();
  const auto first = one.services.request(key, wire::Kind::kCommand, message("ask"), heard.into());
  const auto second = one.services.request(key, wire::Kind::kCommand, message("ask"), heard.into());
  REQUIRE(first);
  turns();
  one.services.cancel(*first);
  one.services.cancel(*first);
  one.services.cancel(0);
  turns();
  CHECK(heard.words == Strings{"Cancelled"});
  CHECK(owner.client(key).cancelled == std::vector<uint64_t>{1});
  owner.client(key).reply("answer");
  turns();
  CHECK(heard.words == Strings{"Cancelled", "ok:answer"});
  one.services.cancel(*second);
  turns();
  CHECK(owner.client(key).cancelled.size() == 1);
  CHECK(heard.words.size() == 2);
}

TEST_CASE_METHOD(Fixture, "a malformed message is refused before it travels") {
  const SessionKey there = two.open();
  CHECK(one.services.send(there, message(""), {}).error().code == Code::kActionInvalid);
  const std::string large(two.config.body_bytes_max + 1, 'x');
  CHECK(one.services.send(there, message("a", large), {}).error().code == Code::kMessageTooLarge);
  CHECK(one.services.broadcast({}, 0, message("a", large), {}).error().code == Code::kMessageTooLarge);
  turns();
  CHECK(two.client(there).got.empty());
}

TEST_CASE_METHOD(Fixture, "a broadcast reaches the members of all workers once and counts them") {
  std::vector<SessionKey> members;
  for (int i = 0; i < 3; ++i) members.push_back(one.open());
  for (int i = 0; i < 4; ++i) members.push_back(two.open());
  const SessionKey outside = two.open();
  for (const SessionKey key : members) REQUIRE(one.services.join(key, "room"));
  host::Fanout outcome;
  const auto count = one.services.broadcast("room", members[0], message("hi", "all"),
                                            [&](const host::Fanout& fanout) { outcome = fanout; });
  REQUIRE(count);
  CHECK(*count == 6);
  CHECK(outcome.sent == 0);
  turns();
  CHECK(outcome.sent == 6);
  CHECK(outcome.refused == 0);
  CHECK(one.client(members[0]).got.empty());
  CHECK(one.client(members[1]).actions() == Strings{"hi"});
  CHECK(as_text(two.client(members[6]).got.at(0).body()) == "all");
  CHECK(two.client(outside).got.empty());
}

TEST_CASE_METHOD(Fixture, "a broadcast to nobody ends as well, later") {
  size_t ended = 0;
  REQUIRE(*one.services.broadcast("nobody", 0, message("hi"), [&](const host::Fanout&) { ++ended; }) == 0);
  CHECK(ended == 0);
  turns();
  CHECK(ended == 1);
}

TEST_CASE_METHOD(Fixture, "a member whose queue is full is named in the outcome and keeps nobody from theirs") {
  two.config.outbox_messages_max = 1;
  const SessionKey slow = two.open();
  const SessionKey fast = two.open();
  REQUIRE(two.services.send(slow, message("first"), {}));
  host::Fanout outcome;
  REQUIRE(one.services.broadcast({}, 0, message("hi"), [&](const host::Fanout& fanout) { outcome = fanout; }));
  turns();
  CHECK(outcome.sent == 1);
  CHECK(outcome.refused == 1);
  REQUIRE(outcome.refusals.size() == 1);
  CHECK(outcome.refusals[0].session == slow);
  CHECK(outcome.refusals[0].code == Code::kQueueFull);
  CHECK(two.client(fast).actions() == Strings{"hi"});
}

TEST_CASE_METHOD(Fixture, "who joins after the broadcast does not get it, who leaves after it does") {
  const SessionKey early = two.open();
  const SessionKey late = two.open();
  REQUIRE(one.services.join(early, "room"));
  REQUIRE(one.services.broadcast("room", 0, message("hi"), {}));
  REQUIRE(one.services.leave(early, "room"));
  REQUIRE(one.services.join(late, "room"));
  turns();
  CHECK(two.client(early).actions() == Strings{"hi"});
  CHECK(two.client(late).got.empty());
}

TEST_CASE_METHOD(Fixture, "the way to another worker is bounded until that worker has run what came") {
  two.config.outbox_messages_max = 20'000;
  const SessionKey key = two.open();
  for (size_t i = 0; i < app::ErrandLane::kErrandsMax; ++i) REQUIRE(one.services.send(key, message("a"), {}));
  CHECK(one.services.send(key, message("b"), {}).error().code == Code::kQueueFull);
  CHECK(one.services.broadcast({}, 0, message("b"), {}).error().code == Code::kQueueFull);
  turn(one);
  CHECK(one.services.send(key, message("b"), {}).error().code == Code::kQueueFull);
  turn(two);
  CHECK(one.services.send(key, message("b"), {}));
}

TEST_CASE_METHOD(Fixture, "a full mailbox delays what is on its way, in its order, and another turn is asked for") {
  const SessionKey key = two.open();
  two.mailbox.full = true;
  REQUIRE(one.services.send(key, message("a"), {}));
  CHECK(one.time.timers.next() == kNever);
  one.services.end_turn();
  CHECK(one.time.timers.next() == one.time.clock.now() + 1ms);
  REQUIRE(one.services.send(key, message("b"), {}));
  two.mailbox.full = false;
  turns();
  CHECK(two.client(key).actions() == Strings{"a", "b"});
}

TEST_CASE_METHOD(Fixture, "stats and closing reach the other worker") {
  const SessionKey key = two.open();
  REQUIRE(one.services.send(key, message("a"), {}));
  std::optional<uint64_t> sent;
  REQUIRE(one.services.stats(key, [&](Result<host::SessionStats> stats) {
    if (stats) sent = stats->messages_sent;
  }));
  REQUIRE(one.services.close(key, Code::kForbidden, "out"));
  CHECK_FALSE(sent);
  turns();
  CHECK(sent == 1u);
  CHECK(two.client(key).closed == Code::kForbidden);
}

TEST_CASE("two workers on two threads: each session gets what is for it in order, and all is confirmed once") {
  constexpr int kMessages = 5000;
  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  TestWorker workers[2] = {{0, directory}, {1, directory}};
  for (TestWorker& worker : workers) worker.config.outbox_messages_max = 1 << 20;
  SessionKey keys[2] = {workers[0].open("zero"), workers[1].open("one")};
  workers[0].services.connect(1, workers[1].mailbox, workers[1].services);
  workers[1].services.connect(0, workers[0].mailbox, workers[0].services);
  std::atomic<int> busy{2};
  std::atomic<int> refused{0};

  const auto work = [&](int self) {
    TestWorker& worker = workers[self];
    const SessionKey other = keys[1 - self];
    int sent = 0;
    int confirmed = 0;
    bool done = false;
    while (busy > 0) {
      for (int i = 0; i < 50 && sent < kMessages; ++i) {
        const std::string number = std::to_string(sent);
        const auto done = [&](const session::Reply& reply) {
          ++confirmed;
          refused += reply.code != Code::kOk;
        };
        if (!worker.services.send(other, message(number), done)) break;
        if (!worker.services.join(other, "g" + std::to_string(sent % 7))) return;
        ++sent;
      }
      if (sent % 500 == 0) (void)worker.services.broadcast("g1", 0, message("all"), {});
      worker.services.end_turn();
      std::function<void()> task;
      while (worker.mailbox.take(task, Duration(100us))) task();
      TestWorker::Client& mine = worker.client(keys[self]);
      if (!mine.got.empty()) mine.acknowledge_all();
      if (!done && confirmed == kMessages) {
        done = true;
        --busy;
      }
    }
  };
  std::thread first(work, 0);
  std::thread second(work, 1);
  first.join();
  second.join();
  CHECK(refused == 0);
  for (int self : {0, 1}) {
    int expected = 0;
    for (const std::string& action : workers[self].client(keys[self]).actions()) {
      if (action != "all") CHECK(action == std::to_string(expected++));
    }
    CHECK(expected == kMessages);
  }
}

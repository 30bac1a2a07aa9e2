// Messages with keys of their own: each key's are handled on one worker, in order, whatever they came by.

#include "app/key_desk.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "test_worker.h"

using namespace godwit;
using app::KeyDesk;
using host::Ticket;
using testing::TestWorker;

namespace {

/// Where messages come in: their tickets wait here and hear a verdict.
class Origin final : public host::ReplySink {
 public:
  host::ReplyOutcome reply(Ticket ticket, Bytes body, std::span<const wire::Header> headers) override {
    replies[ticket.bits] = std::string(as_text(body)) + (headers.empty() ? "" : std::string(headers[0].value));
    ++verdicts;
    return host::ReplyOutcome::kAccepted;
  }
  host::ReplyOutcome fail(Ticket ticket, Code code, std::string_view) override {
    failures[ticket.bits] = code;
    ++verdicts;
    return host::ReplyOutcome::kAccepted;
  }
  void done(Ticket) override { ++verdicts; }
  void suspend(Ticket ticket, bool ordered) override {
    CHECK_FALSE(ordered);
    suspended.insert(ticket.bits);
  }
  bool enough() const override { return false; }

  std::map<uint64_t, std::string> replies;
  std::map<uint64_t, Code> failures;
  std::set<uint64_t> suspended;
  uint64_t verdicts = 0;
};

/// One handler for everything, which does what the test says.
class Unit final : public app::Dispatcher::Handlers, public host::Handler {
 public:
  std::function<void(const host::Delivery&)> on_delivery;
  std::optional<uint32_t> rests;
  bool gone = false;

  const routing::Target* find(wire::Kind, std::string_view) override { return gone ? nullptr : &target_; }
  host::Handler* handler(uint32_t) override { return this; }
  std::optional<uint32_t> resting() const override { return rests; }
  bool run_ready(host::ReplySink&) override { return false; }
  uint64_t version() const override { return 1; }
  size_t handle(std::span<const host::Delivery> batch, host::ReplySink&) override {
    for (const host::Delivery& delivery : batch) on_delivery(delivery);
    return batch.size();
  }
  std::string_view name() const override { return "unit@1"; }

 private:
  routing::Target target_{3, 7};
};

struct Place {
  Place(uint32_t index, uint32_t workers, app::SessionDirectory& directory, size_t messages_max = 1000)
      : worker(index, directory),
        desk({.worker = index, .workers = workers, .messages_max = messages_max}, worker.time.clock, worker.services) {}

  void carry(std::string_view key, uint64_t ticket, std::string_view body, wire::Kind kind = wire::Kind::kCommand,
             Timestamp deadline = kNever) {
    const host::SessionView view{77, "device", "ada", "10.0.0.1:1"};
    desk.carry(key, {{ticket}, 0, kind, {}, ticket, "act", {}, as_bytes(body), &view, deadline}, origin);
  }
  bool run() { return desk.run(unit, origin); }

  TestWorker worker;
  Origin origin;
  Unit unit;
  KeyDesk desk;
};

struct Two {
  void turns() {
    for (int i = 0; i < 3; ++i) {
      for (Place* place : {&one, &two}) {
        place->worker.mailbox.run();
        place->run();
        place->worker.services.end_turn();
      }
    }
  }
  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  Place one{0, 2, directory}, two{1, 2, directory};
  Two() {
    one.worker.services.connect(1, two.worker.mailbox, two.worker.services);
    two.worker.services.connect(0, one.worker.mailbox, one.worker.services);
  }
};

}  // namespace

TEST_CASE_METHOD(Two, "a key has one worker: what has it is handled there, and answered where it came in") {
  std::map<std::string, std::set<int>> handled_on;
  const auto handle = [&](Place& place, int index) {
    place.unit.on_delivery = [&, index](const host::Delivery& delivery) {
      CHECK(place.desk.has_carried(delivery.ticket));
      CHECK(delivery.handler == 7);
      CHECK(delivery.session->uid == "ada");
      CHECK(delivery.session->id == 77);
      const std::string body(as_text(delivery.body));
      handled_on[body.substr(0, body.find('#'))].insert(index);
      place.desk.reply(delivery.ticket, as_bytes("did " + body), {});
    };
  };
  handle(one, 0);
  handle(two, 1);
  for (uint64_t i = 1; i <= 40; ++i) {
    const std::string key = "k" + std::to_string(i % 8);
    Place& in = i % 3 == 0 ? one : two;
    in.carry(key, i, key + "#" + std::to_string(i));
    CHECK(in.origin.suspended.contains(i));
  }
  turns();
  std::set<int> used;
  for (const auto& [key, workers] : handled_on) {
    CHECK(workers.size() == 1);
    used.insert(*workers.begin());
  }
  CHECK(handled_on.size() == 8);
  CHECK(used.size() == 2);
  CHECK(one.origin.replies.size() + two.origin.replies.size() == 40);
  CHECK(one.origin.replies.at(3) == "did k3#3");
}

TEST_CASE_METHOD(Two, "failures and the end of events come back, and each ticket hears one verdict") {
  for (Place* place : {&one, &two}) {
    place->unit.on_delivery = [place](const host::Delivery& delivery) {
      if (delivery.kind == wire::Kind::kEvent) {
        CHECK(place->desk.reply(delivery.ticket, {}, {}) == host::ReplyOutcome::kNotExpected);
        return place->desk.done(delivery.ticket);
      }
      place->desk.fail(delivery.ticket, Code::kForbidden, "no");
      CHECK(place->desk.reply(delivery.ticket, {}, {}) == host::ReplyOutcome::kStale);
    };
  }
  one.carry("a", 1, "x");
  one.carry("b", 2, "x");
  one.carry("a", 3, "x", wire::Kind::kEvent);
  one.carry("b", 4, "x", wire::Kind::kEvent);
  turns();
  CHECK(one.origin.failures == std::map<uint64_t, Code>{{1, Code::kForbidden}, {2, Code::kForbidden}});
  CHECK(one.origin.verdicts == 4);
}

TEST_CASE_METHOD(Two, "a message that waits holds its key, and no other") {
  std::vector<std::string> order;
  std::vector<Ticket> waiting;
  const auto handle = [&](Place& place) {
    place.unit.on_delivery = [&](const host::Delivery& delivery) {
      order.emplace_back(as_text(delivery.body));
      if (order.back() != "slow") return (void)place.desk.reply(delivery.ticket, {}, {});
      place.desk.suspend(delivery.ticket, true);
      waiting.push_back(delivery.ticket);
    };
  };
  handle(one);
  handle(two);
  one.carry("a", 1, "slow");
  turns();
  two.carry("a", 2, "after");
  for (uint64_t i = 10; i < 20; ++i) one.carry("other" + std::to_string(i), i, "free");
  turns();
  CHECK(std::count(order.begin(), order.end(), "free") == 10);
  CHECK(std::find(order.begin(), order.end(), "after") == order.end());
  REQUIRE(waiting.size() == 1);
  one.desk.reply(waiting[0], {}, {});
  two.desk.reply(waiting[0], {}, {});  // one of them has it
  turns();
  CHECK(order.back() == "after");
  CHECK(one.origin.verdicts + two.origin.verdicts == 12);
}

TEST_CASE_METHOD(Two,
                 "while its unit rests a message waits, and without one it is refused, as it is after its deadline") {
  Place& home = [&]() -> Place& {
    bool first = false;
    one.unit.on_delivery = [&](const host::Delivery& delivery) { first = true, one.desk.done(delivery.ticket); };
    two.unit.on_delivery = [&](const host::Delivery& delivery) { two.desk.done(delivery.ticket); };
    one.carry("a", 1, "x", wire::Kind::kEvent);
    turns();
    return first ? one : two;
  }();
  home.unit.rests = 3;
  home.carry("a", 2, "x", wire::Kind::kEvent);
  turns();
  CHECK(home.desk.waiting() == 1);
  home.unit.rests.reset();
  turns();
  CHECK(home.desk.waiting() == 0);
  home.unit.gone = true;
  home.carry("a", 3, "x");
  turns();
  CHECK(home.origin.failures.at(3) == Code::kHandlerNotFound);
  home.unit.gone = false;
  home.carry("a", 4, "x", wire::Kind::kCommand, home.worker.time.clock.now());
  turns();
  CHECK(home.origin.failures.at(4) == Code::kMessageExpired);
}

TEST_CASE("at the bound messages with keys are refused with a code, and nothing that was taken is lost") {
  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  Place alone(0, 1, directory, 10);
  alone.unit.on_delivery = [&](const host::Delivery& delivery) { alone.desk.reply(delivery.ticket, {}, {}); };
  for (uint64_t i = 1; i <= 15; ++i) alone.carry("a", i, "x");
  CHECK(alone.origin.failures.size() == 5);
  CHECK(alone.origin.failures.at(11) == Code::kDispatcherFull);
  alone.run();
  CHECK(alone.origin.replies.size() == 10);
  alone.carry("a", 16, "x");
  alone.run();
  CHECK(alone.origin.replies.contains(16));
}

TEST_CASE("sixteen keys on four threads: a million messages, and of no key one out of order") {
  constexpr uint32_t kWorkers = 4;
  constexpr uint64_t kEach = 250'000;
  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  std::deque<Place> places;
  for (uint32_t i = 0; i < kWorkers; ++i) places.emplace_back(i, kWorkers, directory);
  for (Place& from : places) {
    for (uint32_t to = 0; to < kWorkers; ++to) {
      Place& place = places[to];
      from.worker.services.connect(to, place.worker.mailbox, place.worker.services);
    }
  }
  std::atomic<uint32_t> busy{kWorkers};
  std::atomic<uint64_t> handled{0}, inversions{0}, refused{0};
  const auto work = [&](uint32_t self) {
    Place& place = places[self];
    std::map<std::pair<std::string, std::string>, uint64_t> last;  // by key and origin
    place.unit.on_delivery = [&](const host::Delivery& delivery) {
      const std::string body(as_text(delivery.body));
      const size_t first = body.find('/'), second = body.find('/', first + 1);
      uint64_t& seen = last[{body.substr(0, first), body.substr(first + 1, second - first - 1)}];
      const uint64_t number = std::stoull(body.substr(second + 1));
      if (number <= seen) ++inversions;
      seen = number;
      ++handled;
      place.desk.done(delivery.ticket);
    };
    uint64_t sent = 0;
    bool done = false;
    while (busy > 0) {
      for (int i = 0; i < 200 && sent < kEach; ++i) {
        ++sent;
        const std::string key = "key" + std::to_string(sent % 16);
        place.carry(key, sent, key + "/" + std::to_string(self) + "/" + std::to_string(sent), wire::Kind::kEvent);
      }
      place.worker.services.end_turn();
      std::function<void()> task;
      while (place.worker.mailbox.take(task, Duration(20us))) task();
      while (place.run()) {
      }
      if (!done && place.origin.verdicts == kEach) {
        done = true;
        refused += place.origin.failures.size();
        --busy;
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kWorkers; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  CHECK(inversions == 0);
  CHECK(handled + refused == kWorkers * kEach);
  CHECK(handled > refused);
}

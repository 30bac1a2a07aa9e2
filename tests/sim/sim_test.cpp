// The instrument itself: a checker that never objects, or a network that never loses, would make every scenario pass.

#include <catch2/catch.hpp>

#include "payload.h"
#include "scenario.h"
#include "seeded_system.h"
#include "world.h"

using namespace godwit;
using namespace godwit::sim;

namespace {

constexpr session::Reply kAnswered{wire::Status::kSuccess, Code::kOk, {}, {}, {}};

/// A world that only keeps a ledger.
struct Books {
  TlsFixture no_tls;
  World world{{1, Trace::Print::kNo, no_tls}};
  Ledger& ledger = world.ledger();

  void sent(uint64_t id, Ledger::Message::Kind kind = Ledger::Message::Kind::kEvent, bool ordered = true) {
    ledger.sent("c", id, {.hash = id * 10, .body_hash = hash_bytes({}), .kind = kind, .ordered = ordered});
  }
  void handled(uint64_t id) { ledger.handled("c", id, id * 10); }
  void settled(uint64_t id, const session::Reply& reply = kAnswered) { ledger.settled("c", id, reply); }
  /// What the first violation begins with; empty when there is none.
  std::string found() const { return world.violation().substr(0, 2); }
};

Link::Counts run_link(const Conditions& conditions, int datagrams, std::vector<Link::Fate>* fates = nullptr) {
  Link link(7);
  link.conditions = conditions;
  for (int i = 0; i < datagrams; ++i) {
    Link::Fate fate = link.send(testing::VirtualClock::kStart + i * 1ms, 1000);
    if (fates) fates->push_back(std::move(fate));
  }
  return link.counts();
}

uint64_t trace_of(const Scenario& scenario, uint64_t seed) {
  seed_system(0);
  const auto tls = TlsFixture::make(testing::VirtualClock().unix_us());
  REQUIRE(tls);
  World world({seed, Trace::Print::kNo, *tls});
  scenario.run(world);
  REQUIRE(world.violation() == "");
  return world.trace().hash();
}

}  // namespace

TEST_CASE("books in order are accepted") {
  Books books;
  for (uint64_t id = 1; id <= 3; ++id) books.sent(id);
  for (uint64_t id = 1; id <= 3; ++id) books.handled(id);
  for (const uint64_t id : {2, 1, 3}) books.settled(id);
  books.ledger.finish();
  REQUIRE(books.found().empty());
  REQUIRE(books.ledger.succeeded() == 3);
  REQUIRE(books.ledger.open() == 0);
}

TEST_CASE("the ledger objects to whatever breaks a promise, by its name") {
  Books books;
  books.sent(1);
  books.sent(2);
  SECTION("acknowledged before it was handled") {
    books.settled(1);
    REQUIRE(books.found() == "P1");
  }
  SECTION("handled twice") {
    books.handled(1);
    books.handled(1);
    REQUIRE(books.found() == "P2");
  }
  SECTION("handled out of order") {
    books.handled(2);
    books.handled(1);
    REQUIRE(books.found() == "P3");
  }
  SECTION("handled, but never sent") {
    books.ledger.handled("c", 3, 30);
    REQUIRE(books.found() == "P4");
  }
  SECTION("handled with other bytes") {
    books.ledger.handled("c", 1, 11);
    REQUIRE(books.found() == "P4");
  }
  SECTION("answered with other bytes") {
    books.sent(3, Ledger::Message::Kind::kRequest);
    books.handled(3);
    books.settled(3, {wire::Status::kSuccess, Code::kOk, {}, {}, as_bytes("x")});
    REQUIRE(books.found() == "P4");
  }
  SECTION("settled twice") {
    books.handled(1);
    books.settled(1);
    books.settled(1);
    REQUIRE(books.found() == "P8");
  }
  SECTION("never settled") {
    books.handled(1);
    books.settled(1);
    books.ledger.finish();
    REQUIRE(books.found() == "P8");
  }
  SECTION("refused, yet handled") {
    books.settled(1, {wire::Status::kFailure, Code::kDispatcherFull, {}, {}, {}});
    REQUIRE(books.found().empty());
    books.handled(1);
    REQUIRE(books.found() == "P8");
  }
  SECTION("failed without a code") {
    books.settled(1, {wire::Status::kFailure, Code::kOk, {}, {}, {}});
    REQUIRE(books.found() == "P8");
  }
}

TEST_CASE("unordered messages may be handled in any order") {
  Books books;
  books.sent(1, Ledger::Message::Kind::kEvent, false);
  books.sent(2);
  books.handled(2);
  books.handled(1);
  REQUIRE(books.found().empty());
}

TEST_CASE("a link loses the share it is told to, in bursts of the length it is told to") {
  REQUIRE(run_link({}, 10'000).lost == 0);
  for (const double burst : {1.0, 3.0}) {
    std::vector<Link::Fate> fates;
    const uint64_t lost = run_link({.loss = 0.2, .burst = burst}, 100'000, &fates).lost;
    REQUIRE(lost > 19'000);
    REQUIRE(lost < 21'000);
    size_t bursts = 0;
    for (size_t i = 1; i < fates.size(); ++i) bursts += fates[i].arrivals.empty() && !fates[i - 1].arrivals.empty();
    const double mean = static_cast<double>(lost) / static_cast<double>(bursts);
    REQUIRE(mean == Approx(burst == 1 ? 1.25 : 3).epsilon(0.05));  // independent losses meet by chance
  }
}

TEST_CASE("a link delays within its jitter, duplicates, corrupts and refuses what is too long") {
  std::vector<Link::Fate> fates;
  const auto counts = run_link({.delay = 50ms, .jitter = 20ms, .duplicate = 0.1, .corrupt = 0.1}, 10'000, &fates);
  for (size_t i = 0; i < fates.size(); ++i) {
    for (const Timestamp arrival : fates[i].arrivals) {
      const Duration took = arrival - (testing::VirtualClock::kStart + i * 1ms);
      REQUIRE(took >= 30ms);
      REQUIRE(took <= 70ms);
    }
  }
  REQUIRE(counts.duplicated == Approx(1000).epsilon(0.1));
  REQUIRE(counts.corrupted == Approx(1000).epsilon(0.1));
  REQUIRE(run_link({.mtu_bytes = 1028}, 10).lost == 0);
  REQUIRE(run_link({.mtu_bytes = 1027}, 10).lost == 10);
  REQUIRE(run_link({.blackhole = true}, 10).lost == 10);
}

TEST_CASE("a link of a certain rate keeps datagrams in a queue, and drops what the queue does not hold") {
  std::vector<Link::Fate> fates;
  // 1,028 bytes a millisecond arrive, half of that may pass.
  const auto counts = run_link({.delay = 0ms, .rate_bytes_per_s = 514'000, .queue_bytes = 102'800}, 1'000, &fates);
  const Duration eleventh = fates[10].arrivals.front() - testing::VirtualClock::kStart;
  REQUIRE(eleventh >= 22ms);
  REQUIRE(eleventh <= 22ms + 1us);
  REQUIRE(counts.lost > 350);
  REQUIRE(counts.lost < 450);
}

TEST_CASE("the same seed gives the same trace, another seed another one") {
  for (const Scenario& scenario : all_scenarios()) {
    if (scenario.name != "port_change" && scenario.name != "chaos") continue;
    const uint64_t hash = trace_of(scenario, 5);
    REQUIRE(trace_of(scenario, 5) == hash);
    REQUIRE(trace_of(scenario, 6) != hash);
  }
}

#include "session/promise_table.h"

#include <catch2/catch.hpp>
#include <functional>

#include "base/prng.h"
#include "virtual_time.h"

using namespace godwit;
using session::Promise;
using session::PromiseId;
using session::PromiseTable;

namespace {

struct Fixture : PromiseTable::Owner {
  explicit Fixture(size_t bound) : table(bound, time.clock, time.timers, metrics, *this) {}

  void on_promise_expired(const Promise& promise) override {
    expired.push_back(promise.message_id);
    if (on_expired) on_expired(promise);
  }
  void on_promises_high(size_t in_use, size_t bound) override {
    ++warnings;
    warned_at = {in_use, bound};
  }

  PromiseId create(uint64_t message_id, Duration timeout) {
    auto id = table.create({{}, message_id, {}}, time.clock.now() + timeout);
    REQUIRE(id);
    return *id;
  }
  uint64_t finished(PromiseOutcome outcome) { return metrics.promises_finished[static_cast<size_t>(outcome)].value(); }

  testing::VirtualTime time;
  WorkerMetrics metrics;
  std::function<void(const Promise&)> on_expired;
  std::vector<uint64_t> expired;
  int warnings = 0;
  std::pair<size_t, size_t> warned_at;
  PromiseTable table;
};

}  // namespace

TEST_CASE("of sixty thousand promises exactly fifty thousand are made") {
  Fixture f(50'000);
  size_t made = 0, refused = 0;
  for (uint64_t i = 0; i < 60'000; ++i) {
    const auto id = f.table.create({{}, i, {}}, f.time.clock.now() + 30s);
    id ? ++made : ++refused;
    if (!id) REQUIRE(id.error().code == Code::kPromiseLimit);
  }
  REQUIRE(made == 50'000);
  REQUIRE(refused == 10'000);
  REQUIRE(f.table.size() == 50'000);
  REQUIRE(f.metrics.promises.value() == 50'000);
  REQUIRE(f.finished(PromiseOutcome::kRejected) == 10'000);

  f.time.advance(31s);
  REQUIRE(f.table.size() == 0);
  REQUIRE(f.metrics.promises.value() == 0);
}

TEST_CASE("a place that becomes free is used again") {
  Fixture f(2);
  const PromiseId first = f.create(1, 30s);
  f.create(2, 30s);
  REQUIRE_FALSE(f.table.create({{}, 3, {}}, f.time.clock.now() + 30s));
  REQUIRE(f.table.take(first, PromiseOutcome::kOk));
  REQUIRE(f.table.create({{}, 3, {}}, f.time.clock.now() + 30s));
}

TEST_CASE("the warning comes once per crossing of four fifths and again only after the share fell below seven tenths") {
  Fixture f(100);
  std::vector<PromiseId> ids;
  for (uint64_t i = 0; i < 79; ++i) ids.push_back(f.create(i, 30s));
  REQUIRE(f.warnings == 0);
  for (uint64_t i = 79; i < 100; ++i) ids.push_back(f.create(i, 30s));
  REQUIRE(f.warnings == 1);
  REQUIRE(f.warned_at == std::pair<size_t, size_t>{80, 100});

  const auto shrink_to = [&](size_t size) {
    for (; ids.size() > size; ids.pop_back()) f.table.take(ids.back(), PromiseOutcome::kOk);
  };
  const auto grow_to = [&](size_t size) {
    while (ids.size() < size) ids.push_back(f.create(ids.size(), 30s));
  };
  shrink_to(70);
  grow_to(90);
  REQUIRE(f.warnings == 1);
  shrink_to(69);
  grow_to(79);
  REQUIRE(f.warnings == 1);
  grow_to(80);
  REQUIRE(f.warnings == 2);
}

TEST_CASE("fifty thousand deadlines fire at most sixteen milliseconds late and never early") {
  Fixture f(50'000);
  Prng random(2);
  std::vector<Timestamp> deadlines;
  for (uint64_t i = 0; i < 50'000; ++i) {
    const Duration timeout = Duration(random.between(1, 60'000'000'000));
    deadlines.push_back(f.time.clock.now() + timeout);
    f.create(i, timeout);
  }
  Duration latest{};
  f.on_expired = [&](const Promise& promise) {
    const Duration lateness = f.time.clock.now() - deadlines[promise.message_id];
    REQUIRE(lateness >= Duration::zero());
    latest = std::max(latest, lateness);
  };
  f.time.advance(61s);
  REQUIRE(f.expired.size() == 50'000);
  REQUIRE(latest <= 16ms);
  REQUIRE(f.finished(PromiseOutcome::kTimeout) == 50'000);
}

TEST_CASE("a promise that is taken in time does not expire") {
  Fixture f(10);
  const PromiseId id = f.create(5, 1s);
  f.time.advance(999ms);
  REQUIRE(f.expired.empty());
  const auto promise = f.table.take(id, PromiseOutcome::kOk);
  REQUIRE(promise);
  REQUIRE(promise->message_id == 5);
  f.time.advance(1h);
  REQUIRE(f.expired.empty());
  REQUIRE(f.finished(PromiseOutcome::kOk) == 1);
}

TEST_CASE("who is told of an expiry may take others that are due in the same tick and make new ones") {
  Fixture f(10);
  std::vector<PromiseId> ids;
  for (uint64_t i = 0; i < 4; ++i) ids.push_back(f.create(i, 100ms));
  f.on_expired = [&](const Promise&) {
    for (const PromiseId id : ids) f.table.take(id, PromiseOutcome::kCancelled);
    if (f.expired.size() == 1) f.create(77, 50ms);
  };
  f.time.advance(120ms);
  REQUIRE(f.expired.size() == 1);
  REQUIRE(f.finished(PromiseOutcome::kCancelled) == 3);
  REQUIRE(f.table.size() == 1);
  f.time.advance(100ms);
  REQUIRE(f.expired.back() == 77);
  REQUIRE(f.table.size() == 0);
}

TEST_CASE("an id is stale once its promise was taken, also when its place is used again") {
  Fixture f(1);
  const PromiseId old = f.create(1, 1s);
  REQUIRE(f.table.take(old, PromiseOutcome::kOk));
  REQUIRE_FALSE(f.table.take(old, PromiseOutcome::kOk));
  f.create(2, 1s);
  REQUIRE_FALSE(f.table.take(old, PromiseOutcome::kOk));
  REQUIRE_FALSE(f.table.take(PromiseId{}, PromiseOutcome::kOk));
  REQUIRE_FALSE(f.table.take(PromiseId{123, 1}, PromiseOutcome::kOk));
  REQUIRE(f.table.size() == 1);
}

TEST_CASE("a promise without a deadline waits for ever and keeps no timer running") {
  Fixture f(1);
  auto id = f.table.create({{}, 1, {}}, kNever);
  REQUIRE(id);
  REQUIRE(f.time.timers.next() == kNever);
  f.time.advance(24h);
  REQUIRE(f.table.take(*id, PromiseOutcome::kOk));
}

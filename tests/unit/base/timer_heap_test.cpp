#include "base/timer_heap.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"

using namespace godwit;

namespace {

constexpr Timestamp kStart = from_ns(1'000'000'000);

}  // namespace

TEST_CASE("a timer fires at its deadline and not before") {
  TimerHeap heap;
  int fired = 0;
  Timer timer([&](Timestamp now) {
    ++fired;
    REQUIRE(now == kStart + 10ms);
  });
  REQUIRE(heap.next() == kNever);

  heap.arm(timer, kStart + 10ms);
  REQUIRE(timer.armed());
  REQUIRE(heap.next() == kStart + 10ms);
  REQUIRE(heap.run(kStart + 10ms - 1ns) == 0);
  REQUIRE(fired == 0);

  REQUIRE(heap.run(kStart + 10ms) == 1);
  REQUIRE(fired == 1);
  REQUIRE_FALSE(timer.armed());
  REQUIRE(heap.run(kStart + 1h) == 0);
}

TEST_CASE("arming again moves the deadline instead of adding one") {
  TimerHeap heap;
  int fired = 0;
  Timer timer([&](Timestamp) { ++fired; });
  heap.arm(timer, kStart + 10ms);
  heap.arm(timer, kStart + 20ms);
  REQUIRE(heap.size() == 1);
  REQUIRE(heap.run(kStart + 10ms) == 0);
  heap.arm(timer, kStart + 15ms);
  REQUIRE(heap.run(kStart + 15ms) == 1);
  REQUIRE(fired == 1);
}

TEST_CASE("disarming, arming for never and destroying all keep a timer from firing") {
  TimerHeap heap;
  int fired = 0;
  const auto count = [&](Timestamp) { ++fired; };
  Timer disarmed(count), never(count);
  auto destroyed = std::make_unique<Timer>(count);
  for (Timer* timer : {&disarmed, &never, destroyed.get()}) heap.arm(*timer, kStart);
  heap.disarm(disarmed);
  heap.disarm(disarmed);
  heap.arm(never, kNever);
  destroyed.reset();
  REQUIRE(heap.size() == 0);
  REQUIRE(heap.run(kStart + 1s) == 0);
  REQUIRE(fired == 0);
}

TEST_CASE("due timers fire in the order of their deadlines") {
  TimerHeap heap;
  Prng prng(5);
  std::vector<Timestamp> fired;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>([&, i](Timestamp) { fired.push_back(kStart + i * 1us); }));
  }
  // Armed, moved and removed in random order, so that the heap is exercised at every place.
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) {
      const size_t pick = prng.below(timers.size());
      heap.arm(*timers[pick], kStart + static_cast<int64_t>(prng.below(1000)) * 1us);
      if (prng.chance(0.3)) heap.disarm(*timers[prng.below(timers.size())]);
    }
  }
  for (size_t i = 0; i < timers.size(); ++i) heap.arm(*timers[i], kStart + static_cast<int64_t>(i) * 1us);
  REQUIRE(heap.run(kStart + 499us) == 500);
  REQUIRE(heap.next() == kStart + 500us);
  REQUIRE(heap.run(kStart + 1ms) == 500);
  REQUIRE(std::is_sorted(fired.begin(), fired.end()));
}

TEST_CASE("a timer armed by a callback for now waits for the next run") {
  TimerHeap heap;
  int fired = 0;
  Timer timer([&](Timestamp now) {
    ++fired;
    heap.arm(timer, now);
  });
  heap.arm(timer, kStart);
  REQUIRE(heap.run(kStart) == 1);
  REQUIRE(timer.armed());
  REQUIRE(heap.run(kStart) == 1);
  REQUIRE(fired == 2);
}

TEST_CASE("a callback may disarm, move or destroy timers that are due with it") {
  TimerHeap heap;
  std::vector<int> fired;
  Timer disarmed([&](Timestamp) { fired.push_back(1); });
  Timer moved([&](Timestamp) { fired.push_back(2); });
  auto destroyed = std::make_unique<Timer>([&](Timestamp) { fired.push_back(3); });
  Timer first([&](Timestamp now) {
    fired.push_back(0);
    REQUIRE(disarmed.armed());
    heap.disarm(disarmed);
    heap.arm(moved, now + 1s);
    destroyed.reset();
  });
  heap.arm(first, kStart);
  heap.arm(disarmed, kStart + 1ms);
  heap.arm(moved, kStart + 2ms);
  heap.arm(*destroyed, kStart + 3ms);

  REQUIRE(heap.run(kStart + 10ms) == 1);
  REQUIRE(fired == std::vector<int>{0});
  REQUIRE(heap.run(kStart + 2s) == 1);
  REQUIRE(fired == std::vector<int>{0, 2});
}

TEST_CASE("a callback may destroy its own timer and still use what it captured") {
  TimerHeap heap;
  std::unique_ptr<Timer> timer;
  auto text = std::make_shared<std::string>("still here");
  std::string seen;
  timer = std::make_unique<Timer>([&timer, text, &seen](Timestamp) {
    timer.reset();
    seen = *text;
  });
  heap.arm(*timer, kStart);
  REQUIRE(heap.run(kStart) == 1);
  REQUIRE(seen == "still here");
  REQUIRE(text.use_count() == 1);
}

TEST_CASE("timers that outlive their heap are disarmed") {
  Timer timer([](Timestamp) { FAIL("must not fire"); });
  {
    TimerHeap heap;
    heap.arm(timer, kStart);
    REQUIRE(timer.armed());
  }
  REQUIRE_FALSE(timer.armed());
}

#include "session/timing_wheel.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/prng.h"

using namespace godwit;
using session::TimingWheel;

namespace {

constexpr Timestamp kStart = from_ns(1'000'000'000);

std::vector<uint32_t> due_at(TimingWheel& wheel, Timestamp now) {
  std::vector<uint32_t> due;
  wheel.advance(now, due);
  std::sort(due.begin(), due.end());
  return due;
}

}  // namespace

TEST_CASE("a deadline is due within a tick after its time and never before") {
  TimingWheel wheel;
  REQUIRE(wheel.next() == kNever);
  wheel.arm(7, kStart + 100ms, kStart);
  REQUIRE(wheel.size() == 1);
  REQUIRE(due_at(wheel, kStart + 100ms - 1ns).empty());
  REQUIRE(due_at(wheel, kStart + 100ms + TimingWheel::kTick) == std::vector<uint32_t>{7});
  REQUIRE(wheel.size() == 0);
  REQUIRE(wheel.next() == kNever);
}

TEST_CASE("driven by next, ten thousand random deadlines come in time and each exactly once") {
  TimingWheel wheel;
  Prng random(1);
  std::vector<Timestamp> deadlines;
  for (uint32_t item = 0; item < 10'000; ++item) {
    deadlines.push_back(kStart + Duration(random.below(120'000'000'000)));
    wheel.arm(item, deadlines[item], kStart);
  }
  size_t fired = 0;
  for (Timestamp now = wheel.next(); now != kNever; now = wheel.next()) {
    for (const uint32_t item : due_at(wheel, now)) {
      REQUIRE(deadlines[item] <= now);
      REQUIRE(now - deadlines[item] <= 2 * TimingWheel::kTick);
      deadlines[item] = kNever;
      ++fired;
    }
  }
  REQUIRE(fired == 10'000);
}

TEST_CASE("a deadline beyond a turn of the wheel goes round again") {
  TimingWheel wheel;
  const Duration turn = TimingWheel::kTick * TimingWheel::kSlots;
  wheel.arm(0, kStart + 2 * turn + 5ms, kStart);
  REQUIRE(due_at(wheel, kStart + turn + 1s).empty());
  REQUIRE(due_at(wheel, kStart + 2 * turn).empty());
  REQUIRE(due_at(wheel, kStart + 2 * turn + 25ms) == std::vector<uint32_t>{0});
}

TEST_CASE("a sweep that comes late finds everything, also after more than a turn") {
  TimingWheel wheel;
  for (uint32_t item = 0; item < 100; ++item) wheel.arm(item, kStart + item * 1s, kStart);
  REQUIRE(due_at(wheel, kStart + 1h).size() == 100);
  REQUIRE(wheel.size() == 0);
}

TEST_CASE("a deadline that has passed already is due with the next sweep") {
  TimingWheel wheel;
  wheel.arm(0, kStart + 1s, kStart);
  due_at(wheel, kStart + 500ms);
  wheel.arm(1, kStart, kStart + 500ms);
  REQUIRE(wheel.next() <= kStart + 500ms + 2 * TimingWheel::kTick);
  REQUIRE(due_at(wheel, wheel.next()) == std::vector<uint32_t>{1});
}

TEST_CASE("disarming takes a deadline out of the middle of its slot and arming again moves it") {
  TimingWheel wheel;
  for (uint32_t item = 0; item < 3; ++item) wheel.arm(item, kStart + 10ms, kStart);
  wheel.disarm(1);
  wheel.disarm(1);
  wheel.disarm(99);
  wheel.arm(2, kStart + 1s, kStart);
  REQUIRE(wheel.size() == 2);
  REQUIRE(due_at(wheel, kStart + 100ms) == std::vector<uint32_t>{0});
  REQUIRE(due_at(wheel, kStart + 2s) == std::vector<uint32_t>{2});
}

TEST_CASE("a wheel that stood empty for hours does not sweep them") {
  TimingWheel wheel;
  const Timestamp later = kStart + 5h;
  wheel.arm(0, later + 1s, later);
  REQUIRE(wheel.next() > later);
  REQUIRE(wheel.next() <= later + 2 * TimingWheel::kTick);
}

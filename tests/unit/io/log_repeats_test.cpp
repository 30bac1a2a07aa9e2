#include "io/log_repeats.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::io;

namespace {

constexpr Timestamp kStart = from_ns(1'000'000'000);

int admitted(LogRepeats& repeats, std::string_view message, int times, Timestamp now) {
  int passed = 0;
  for (int i = 0; i < times; ++i) passed += repeats.admit(LogLevel::kWarn, "quic", message, now).passes;
  return passed;
}

}  // namespace

TEST_CASE("so many repeats pass per second, and the next second as many") {
  LogRepeats repeats(10);
  REQUIRE(admitted(repeats, "again", 10, kStart) == 10);
  REQUIRE(admitted(repeats, "again", 10, kStart + 999ms) == 0);
  REQUIRE(admitted(repeats, "again", 15, kStart + 1s) == 10);
}

TEST_CASE("what was held back is told with the next of its kind") {
  LogRepeats repeats(2);
  admitted(repeats, "again", 7, kStart);
  const auto verdict = repeats.admit(LogLevel::kWarn, "quic", "again", kStart + 2s);
  REQUIRE(verdict.passes);
  REQUIRE(verdict.earlier);
  REQUIRE(verdict.earlier->times == 5);
  REQUIRE(verdict.earlier->message == "again");
  REQUIRE(verdict.earlier->module == "quic");
  REQUIRE_FALSE(repeats.admit(LogLevel::kWarn, "quic", "again", kStart + 2s).earlier);
}

TEST_CASE("what was held back is told once its second is over, and once only") {
  LogRepeats repeats(2);
  admitted(repeats, "one", 3, kStart);
  admitted(repeats, "two", 2, kStart);
  REQUIRE_FALSE(repeats.take_finished(kStart + 999ms));
  const auto suppressed = repeats.take_finished(kStart + 1s);
  REQUIRE(suppressed);
  REQUIRE(suppressed->message == "one");
  REQUIRE(suppressed->times == 1);
  REQUIRE_FALSE(repeats.take_finished(kStart + 1s));

  admitted(repeats, "two", 1, kStart);
  REQUIRE(repeats.take_finished(kNever));
}

TEST_CASE("one message does not use up the share of another, nor of another module") {
  LogRepeats repeats(3);
  REQUIRE(admitted(repeats, "loud", 100, kStart) == 3);
  REQUIRE(admitted(repeats, "quiet", 3, kStart) == 3);
  REQUIRE(repeats.admit(LogLevel::kWarn, "session", "loud", kStart).passes);
}

TEST_CASE("endless different messages need no more memory and lose no count") {
  LogRepeats repeats(1);
  uint64_t told = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string message = "message " + std::to_string(i);
    for (int k = 0; k < 3; ++k) {
      const auto verdict = repeats.admit(LogLevel::kInfo, "app", message, kStart);
      if (verdict.earlier) told += verdict.earlier->times;
    }
  }
  while (const auto suppressed = repeats.take_finished(kNever)) told += suppressed->times;
  REQUIRE(told == 20'000);
}

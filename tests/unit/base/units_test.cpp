#include "base/units.h"

#include <catch2/catch.hpp>

#include "base/prng.h"

using namespace godwit;

TEST_CASE("durations are read with their unit") {
  REQUIRE(parse_duration("30s") == 30s);
  REQUIRE(parse_duration("250ms") == 250ms);
  REQUIRE(parse_duration("20us") == 20us);
  REQUIRE(parse_duration("1ns") == 1ns);
  REQUIRE(parse_duration("5m") == 5min);
  REQUIRE(parse_duration("1h") == 1h);
  REQUIRE(parse_duration("7d") == 7 * 24h);
  REQUIRE(parse_duration("0") == 0s);
}

TEST_CASE("a duration that could be misread is refused with what was expected") {
  for (const char* text : {"", "30", "s", "30 s", "-1s", "1.5s", "30sec", "1h30m", "30S", "99999999999999999999s"}) {
    CAPTURE(text);
    const auto result = parse_duration(text);
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == Code::kConfigInvalid);
    REQUIRE(result.error().text.find("expected a duration") != std::string::npos);
  }
  REQUIRE(parse_duration("300000d").error().text == "the duration '300000d' is too long");
}

TEST_CASE("sizes are read in bytes or with a binary unit") {
  REQUIRE(parse_bytes("0") == 0);
  REQUIRE(parse_bytes("512") == 512);
  REQUIRE(parse_bytes("512B") == 512);
  REQUIRE(parse_bytes("64KiB") == 65536);
  REQUIRE(parse_bytes("1MiB") == 1048576);
  REQUIRE(parse_bytes("1GiB") == 1073741824);
  REQUIRE(parse_bytes("2TiB") == 2199023255552);
}

TEST_CASE("a size that could be misread is refused with what was expected") {
  for (const char* text : {"", "KiB", "64KB", "64k", "1.5MiB", "-1", "64 KiB", "0x10"}) {
    CAPTURE(text);
    const auto result = parse_bytes(text);
    REQUIRE_FALSE(result);
    REQUIRE(result.error().text.find("expected a size") != std::string::npos);
  }
  REQUIRE(parse_bytes("99999999TiB").error().text == "the size '99999999TiB' is too large");
}

TEST_CASE("quantities are written in the largest unit that is exact") {
  REQUIRE(format_duration(0s) == "0s");
  REQUIRE(format_duration(90s) == "90s");
  REQUIRE(format_duration(120s) == "2m");
  REQUIRE(format_duration(1500us) == "1500us");
  REQUIRE(format_duration(24h) == "1d");
  REQUIRE(format_bytes(0) == "0");
  REQUIRE(format_bytes(1000) == "1000");
  REQUIRE(format_bytes(65536) == "64KiB");
  REQUIRE(format_bytes(3 << 20) == "3MiB");
}

TEST_CASE("what was written is read back as the same value") {
  Prng prng(6);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = prng() >> (1 + prng.below(63));
    REQUIRE(parse_bytes(format_bytes(value)) == value);
    const Duration duration(static_cast<Duration::rep>(value));
    REQUIRE(parse_duration(format_duration(duration)) == duration);
  }
}

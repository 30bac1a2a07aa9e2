#include "base/error.h"

#include <catch2/catch.hpp>

#include "base/log.h"
#include "base/result.h"

using namespace godwit;

TEST_CASE("every code is found by its number and by no other") {
  for (const CodeInfo& info : all_codes()) {
    const auto found = describe(info.code);
    REQUIRE(found);
    REQUIRE(found->name == info.name);
    REQUIRE(name_of(info.code) == info.name);
  }
  REQUIRE_FALSE(describe(Code::kOk));
  REQUIRE_FALSE(describe(static_cast<Code>(1)));
  REQUIRE_FALSE(describe(static_cast<Code>(65535)));
}

TEST_CASE("a number from a newer peer keeps its number as name") {
  REQUIRE(name_of(static_cast<Code>(4999)) == "E4999");
  REQUIRE(name_of(Code::kOk) == "Ok");
}

TEST_CASE("a code says what to do and whether to try again") {
  const auto info = describe(Code::kQueueFull);
  REQUIRE(info);
  REQUIRE(info->retryable);
  REQUIRE(info->retry_after == 100ms);
  REQUIRE(info->severity == Severity::kWarn);
  REQUIRE_FALSE(info->advice.empty());
  REQUIRE_FALSE(describe(Code::kHandlerNotFound)->retryable);
}

TEST_CASE("an error reads as name, number and place") {
  REQUIRE(Error{Code::kHandlerNotFound, "chat.say"}.to_string() == "HandlerNotFound (4001): chat.say");
  REQUIRE(Error{Code::kHandlerNotFound, ""}.to_string() == "HandlerNotFound (4001)");
}

TEST_CASE("log levels are read by the names they are written with") {
  for (const LogLevel level : kLogLevels) REQUIRE(parse_log_level(name_of(level)) == level);
  REQUIRE_FALSE(parse_log_level("verbose"));
  REQUIRE_FALSE(parse_log_level("INFO"));
  REQUIRE_FALSE(parse_log_level(""));
}

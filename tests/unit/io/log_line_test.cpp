#include "io/log_line.h"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace godwit;
using namespace godwit::io;

namespace {

constexpr int64_t kMoment = 1'738'324'800'123'456;  // 2025-01-31T12:00:00.123456Z

std::string line(LogFormat format, std::string_view message, const std::vector<LogField>& fields = {}) {
  return format_line(format, {LogLevel::kWarn, "quic", message, fields}, kMoment);
}

}  // namespace

TEST_CASE("a record is one readable line") {
  REQUIRE(
      line(LogFormat::kText, "path changed", {{"remote", "10.0.0.1:99"}, {"reason", "new address"}, {"packets", 7}}) ==
      "2025-01-31T12:00:00.123456Z warn  quic: path changed remote=10.0.0.1:99 reason=\"new address\" packets=7");
}

TEST_CASE("a record is one JSON object with its fields as keys") {
  REQUIRE(
      line(LogFormat::kJson, "path changed",
           {{"remote", "10.0.0.1:99"}, {"n", -7}, {"ok", true}, {"share", 0.5}, {"code", Code::kHandlerNotFound}}) ==
      R"({"ts":"2025-01-31T12:00:00.123456Z","level":"warn","module":"quic","msg":"path changed",)"
      R"("remote":"10.0.0.1:99","n":-7,"ok":true,"share":0.5,"code":4001})");
  REQUIRE(line(LogFormat::kJson, "m", {{"x", std::numeric_limits<double>::infinity()}}).find(R"("x":"inf"})") !=
          std::string::npos);
}

TEST_CASE("foreign bytes can neither end a line nor fake a field") {
  const std::string hostile = "a\" level=error\n\x1b[2J\xff";
  const std::string text = line(LogFormat::kText, "m", {{"action", hostile}});
  REQUIRE(text.substr(text.find("action=")) == R"(action="a\" level=error\n\x1b[2J\xff")");

  const std::string json = line(LogFormat::kJson, hostile, {{hostile, hostile}});
  const std::string safe = R"("a\" level=error\\n\\x1b[2J\\xff")";
  REQUIRE(json.substr(json.find("\"msg\"")) == "\"msg\":" + safe + "," + safe + ":" + safe + "}");
}

TEST_CASE("an empty value stays visible") {
  REQUIRE(line(LogFormat::kText, "m", {{"uid", ""}}).ends_with(" uid=\"\""));
}

TEST_CASE("a line never exceeds 1 KiB and says what it left out") {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    for (const char filler : {'x', '"', '\\', '\n', '\xff'}) {
      const std::string long_text(5000, filler);
      const std::vector<LogField> fields(12, LogField("key", long_text));
      const std::string out = line(format, long_text, fields);
      CAPTURE(filler, out);
      REQUIRE(out.size() <= 1024);
      REQUIRE(out.find("left_out") != std::string::npos);
      REQUIRE((format == LogFormat::kText || out.back() == '}'));
    }
    REQUIRE(line(format, "m", {{"k", "v"}}).find("left_out") == std::string::npos);
  }
}

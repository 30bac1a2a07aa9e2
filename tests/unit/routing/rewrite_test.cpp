#include "routing/rewrite.h"

#include <catch2/catch.hpp>

using namespace godwit;
using routing::Rewrite;

namespace {

std::string rewritten(std::string_view pattern, std::string_view target, std::string_view action) {
  const auto rewrite = Rewrite::parse(pattern, target);
  REQUIRE(rewrite);
  REQUIRE(rewrite->matches(wire::Kind::kCommand, action));
  std::string out = "from before";
  rewrite->apply(action, out);
  return out;
}

std::string complaint(std::string_view pattern, std::string_view target) {
  const auto rewrite = Rewrite::parse(pattern, target);
  REQUIRE_FALSE(rewrite);
  REQUIRE(rewrite.error().code == Code::kPatternInvalid);
  return rewrite.error().text;
}

}  // namespace

TEST_CASE("a target without wildcards takes every message that matches") {
  CHECK(rewritten("old", "new.name", "old") == "new.name");
  CHECK(rewritten("v1.**", "gone", "v1.a.b") == "gone");
}

TEST_CASE("wildcards of a target stand for what those of the pattern matched") {
  CHECK(rewritten("v1.**", "**", "v1.chat.say") == "chat.say");
  CHECK(rewritten("*.status", "device.*.state", "pump.status") == "device.pump.state");
  CHECK(rewritten("a.*.*.c.**", "*.x.*.**", "a.1.2.c.d.e") == "1.x.2.d.e");
  CHECK(rewritten("command/*", "all.*", "echo") == "all.echo");
}

TEST_CASE("only what the pattern matches has another address") {
  const auto rewrite = Rewrite::parse("query/v1.*", "*");
  REQUIRE(rewrite);
  CHECK(rewrite->matches(wire::Kind::kQuery, "v1.a"));
  CHECK_FALSE(rewrite->matches(wire::Kind::kCommand, "v1.a"));
  CHECK_FALSE(rewrite->matches(wire::Kind::kQuery, "v1.a.b"));
}

TEST_CASE("a target that does not fit its pattern is refused with the reason") {
  CHECK(complaint("v1.*", "**") == "target '**': it has the wildcards of the pattern, in the same order, or none");
  CHECK(complaint("v1", "*") == "target '*': it has the wildcards of the pattern, in the same order, or none");
  CHECK(complaint("v1", "query/x") == "target 'query/x': an action without a kind; the message keeps its own");
  CHECK(complaint("a..b", "x").find("an empty level") != std::string::npos);
  CHECK(complaint("a", "").find("an empty level") != std::string::npos);
}

#include "routing/pattern.h"

#include <catch2/catch.hpp>

using namespace godwit;
using routing::check_action;
using routing::Pattern;
using wire::Kind;

namespace {

Pattern pattern(std::string_view text) {
  Result<Pattern> parsed = Pattern::parse(text);
  INFO(text << ": " << (parsed ? "" : parsed.error().text));
  REQUIRE(parsed);
  return *parsed;
}

std::string levels(size_t count, std::string_view level = "a") {
  std::string text(level);
  for (size_t i = 1; i < count; ++i) text.append(".").append(level);
  return text;
}

}  // namespace

TEST_CASE("a pattern matches exactly what it says") {
  struct Row {
    std::string_view pattern;
    Kind kind;
    std::string_view action;
    bool matches;
  };
  const Row rows[] = {
      {"echo", Kind::kQuery, "echo", true},
      {"echo", Kind::kEvent, "echo", true},
      {"echo", Kind::kQuery, "echo.loud", false},
      {"echo", Kind::kQuery, "Echo", false},
      {"echo", Kind::kQuery, "ech", false},
      {"query/echo", Kind::kQuery, "echo", true},
      {"query/echo", Kind::kCommand, "echo", false},
      {"*/echo", Kind::kEvent, "echo", true},
      {"chat.*", Kind::kEvent, "chat.say", true},
      {"chat.*", Kind::kEvent, "chat", false},
      {"chat.*", Kind::kEvent, "chat.room.say", false},
      {"*.say", Kind::kEvent, "chat.say", true},
      {"*.say", Kind::kEvent, "chat.shout", false},
      {"*", Kind::kEvent, "chat", true},
      {"*", Kind::kEvent, "chat.say", false},
      {"chat.**", Kind::kEvent, "chat.say", true},
      {"chat.**", Kind::kEvent, "chat.room.7.say", true},
      {"chat.**", Kind::kEvent, "chat", false},
      {"chat.**", Kind::kEvent, "chats.say", false},
      {"chat.*.**", Kind::kEvent, "chat.room", false},
      {"chat.*.**", Kind::kEvent, "chat.room.say", true},
      {"**", Kind::kCommand, "a", true},
      {"**", Kind::kCommand, "a.b.c", true},
      {"event/**", Kind::kCommand, "a.b.c", false},
      {"a.*.c", Kind::kCommand, "a.b.c", true},
      {"a.*.c", Kind::kCommand, "a.b.d", false},
      {"größe.*", Kind::kCommand, "größe.größer", true},
  };
  for (const Row& row : rows) {
    INFO(row.pattern << " against " << name_of(row.kind) << "/" << row.action);
    CHECK(pattern(row.pattern).matches(row.kind, row.action) == row.matches);
  }
}

TEST_CASE("a malformed pattern is refused with what is wrong") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", "an empty level"},
      {"a..b", "an empty level"},
      {"a.", "an empty level"},
      {".a", "an empty level"},
      {"query/", "an empty level"},
      {"a*", "* beside other bytes"},
      {"a.***", "* beside other bytes"},
      {"**.a", "** stands at the end only"},
      {"response/a", "the kind before /"},
      {"Query/a", "the kind before /"},
      {"/a", "the kind before /"},
      {"query/a/b", "a second /"},
      {std::string_view("a\0b", 3), "a control character"},
      {"a\nb", "a control character"},
      {"pay.\xe2\x80\xaenoitca", "a control character"},
      {"a\xc2\x9b", "a control character"},
  };
  for (const auto& [text, words] : rows) {
    const Result<Pattern> parsed = Pattern::parse(text);
    INFO(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::kPatternInvalid);
    CHECK_THAT(parsed.error().text, Catch::Contains(std::string(words)));
  }
}

TEST_CASE("a pattern has at most 16 levels and 256 bytes") {
  CHECK(Pattern::parse(levels(15)));
  CHECK(Pattern::parse(levels(16)));
  CHECK_FALSE(Pattern::parse(levels(17)));
  CHECK(Pattern::parse(std::string(255, 'a')));
  CHECK(Pattern::parse("command/" + std::string(256, 'a')));
  CHECK_FALSE(Pattern::parse(std::string(257, 'a')));
}

TEST_CASE("what is wrong with an action is said of an action") {
  for (const auto& [action, words] : {std::pair("command/echo", "an action with a /"),
                                      {"*", "an action with a *"},
                                      {"a.b*", "an action with a *"},
                                      {"a..b", "an action with an empty level"}}) {
    const Status checked = check_action(action);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().text == words);
  }
}

TEST_CASE("an action is 1 to 256 bytes and at most 16 levels without wildcards") {
  CHECK(check_action("echo"));
  CHECK(check_action("chat.room-1.say_it"));
  CHECK(check_action(std::string(256, 'a')));
  CHECK(check_action(levels(16)));
  for (const std::string& bad :
       {std::string(), std::string(257, 'a'), levels(17), std::string("a..b"), std::string("a."), std::string("*"),
        std::string("a\xe2\x80\xae"), std::string("a.\xc2\x80"), std::string("a\xff"), std::string("a.b*"),
        std::string("a/b"), std::string("a\x7f")}) {
    INFO(bad);
    const Status status = check_action(bad);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Code::kActionInvalid);
  }
}

TEST_CASE("specificity goes by level from the left, then by kind") {
  // Each is more specific than the next.
  const std::string_view falling[] = {"command/a.b.c", "a.b.c", "a.b.*",  "query/a.b.**", "a.b.**",
                                      "a.*.c",         "a.*.*", "a.*.**", "a.**",         "*.b.c",
                                      "*.b.**",        "*.*",   "*.**",   "event/**",     "**"};
  for (size_t i = 0; i < std::size(falling); ++i) {
    for (size_t j = 0; j < std::size(falling); ++j) {
      INFO(falling[i] << " against " << falling[j]);
      const int order = pattern(falling[i]).compare_specificity(pattern(falling[j]));
      CHECK((order < 0) == (i < j));
      CHECK((order > 0) == (i > j));
    }
  }
  CHECK(pattern("a.b").compare_specificity(pattern("c.d")) == 0);
  CHECK(pattern("query/a").compare_specificity(pattern("event/a")) == 0);
}

TEST_CASE("a pattern knows its parts") {
  const Pattern parsed = pattern("query/time.*");
  CHECK(parsed.text() == "query/time.*");
  CHECK(parsed.action() == "time.*");
  CHECK(parsed.kind() == Kind::kQuery);
  CHECK_FALSE(parsed.is_exact());
  CHECK(pattern("time.now").is_exact());
  CHECK_FALSE(pattern("*/time.now").kind().has_value());
}

#include "routing/route_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

using namespace godwit;
using routing::Pattern;
using routing::Route;
using routing::RouteTable;
using routing::Target;
using wire::Kind;

namespace {

Route route(std::string_view pattern, uint32_t handler, uint32_t unit = 0, int priority = 100) {
  return {*Pattern::parse(pattern), Target{unit, handler}, priority};
}

/// The handler found, or -1.
int64_t handler(RouteTable& table, Kind kind, std::string_view action) {
  const Target* target = table.find(kind, action);
  return target ? int64_t{target->handler} : -1;
}

}  // namespace

TEST_CASE("an empty table finds nothing") {
  RouteTable table({});
  CHECK(table.find(Kind::kQuery, "echo") == nullptr);
}

TEST_CASE("the most specific pattern wins in whatever order they were registered") {
  std::vector<Route> routes = {route("**", 0),           route("chat.**", 1),  route("chat.*", 2),
                               route("event/chat.*", 3), route("chat.say", 4), route("query/chat.say", 5)};
  for (int turn = 0; turn < 2; ++turn) {
    RouteTable table(routes);
    CHECK(handler(table, Kind::kQuery, "chat.say") == 5);
    CHECK(handler(table, Kind::kEvent, "chat.say") == 4);
    CHECK(handler(table, Kind::kEvent, "chat.join") == 3);
    CHECK(handler(table, Kind::kCommand, "chat.join") == 2);
    CHECK(handler(table, Kind::kCommand, "chat.a.b") == 1);
    CHECK(handler(table, Kind::kCommand, "chat") == 0);
    std::reverse(routes.begin(), routes.end());
  }
}

TEST_CASE("an exact pattern of another kind does not hide a wildcard") {
  RouteTable table({route("command/echo", 1), route("*", 2)});
  CHECK(handler(table, Kind::kCommand, "echo") == 1);
  CHECK(handler(table, Kind::kQuery, "echo") == 2);
}

TEST_CASE("what is not an action finds nothing, not even by a wildcard, however often it is asked for") {
  RouteTable table({route("**", 0)});
  for (int turn = 0; turn < 2; ++turn) {
    for (const char* bad : {"a..b", "a.*", "a/b", "a\n", "a\xe2\x80\xae", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"}) {
      CHECK(handler(table, Kind::kCommand, bad) == -1);
    }
    CHECK(handler(table, Kind::kCommand, "a.b") == 0);
  }
}

TEST_CASE("without a wildcard an unknown action finds nothing") {
  RouteTable table({route("command/echo", 1)});
  CHECK(handler(table, Kind::kCommand, "echo") == 1);
  CHECK(handler(table, Kind::kQuery, "echo") == -1);
  CHECK(handler(table, Kind::kCommand, "other") == -1);
}

TEST_CASE("among equally specific patterns the lower priority number wins, then the earlier registration") {
  RouteTable table({route("echo", 1, 0, 100), route("echo", 2, 1, 50), route("echo", 3, 2, 50), route("*.x", 4, 0, 100),
                    route("*.x", 5, 1, 50), route("*.x", 6, 2, 50)});
  CHECK(handler(table, Kind::kQuery, "echo") == 2);
  CHECK(handler(table, Kind::kQuery, "a.x") == 5);
  CHECK(table.find(Kind::kQuery, "a.x")->unit == 1);
}

TEST_CASE("an answer is the same when it comes from memory, for each kind") {
  RouteTable table({route("event/a.*", 1), route("a.*", 2)});
  for (int turn = 0; turn < 3; ++turn) {
    CHECK(handler(table, Kind::kEvent, "a.b") == 1);
    CHECK(handler(table, Kind::kQuery, "a.b") == 2);
    CHECK(handler(table, Kind::kQuery, "b.b") == -1);
  }
}

TEST_CASE("actions that push each other out of memory are still answered rightly") {
  RouteTable table({route("even.*", 0), route("odd.*", 1)});
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = 0; i < 10'000; ++i) {
      const std::string action = (i % 2 ? "odd." : "even.") + std::to_string(i);
      REQUIRE(handler(table, Kind::kEvent, action) == i % 2);
    }
  }
}

TEST_CASE("an action too long to be one finds nothing") {
  RouteTable table({route("**", 7)});
  CHECK(handler(table, Kind::kEvent, std::string(256, 'a')) == 7);
  CHECK(handler(table, Kind::kEvent, std::string(257, 'a')) == -1);
  CHECK(handler(table, Kind::kEvent, std::string(100'000, 'a')) == -1);
}

TEST_CASE("routes that no message ever takes are named with those that take their messages, and only they") {
  using Pairs = std::vector<std::pair<uint32_t, uint32_t>>;
  const auto shadowed = [](std::vector<Route> routes) {
    const RouteTable table(std::move(routes));
    Pairs pairs;
    for (const routing::Shadow& shadow : table.shadowed())
      pairs.emplace_back(shadow.by->target.handler, shadow.hidden->target.handler);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
  };
  CHECK(shadowed({route("echo", 1), route("*/echo", 2, 1), route("query/echo", 3), route("chat.*", 4, 0, 100),
                  route("chat.*", 5, 1, 10), route("chat.**", 6), route("**", 7)}) == Pairs{{1, 2}, {5, 4}});
  CHECK(shadowed({route("a", 1), route("b", 2), route("*", 3)}).empty());
  CHECK(shadowed({route("a", 1), route("query/a", 2), route("event/a", 3)}).empty());
  CHECK(shadowed({route("a", 1), route("query/a", 2), route("event/a", 3), route("command/a", 4)}) == Pairs{{4, 1}});
}

TEST_CASE("the routes are kept in the order of registration") {
  const RouteTable table({route("**", 0), route("a", 1)});
  REQUIRE(table.routes().size() == 2);
  CHECK(table.routes()[0].pattern.text() == "**");
  CHECK(table.routes()[1].target == Target{0, 1});
}

TEST_CASE("matching costs no more than the action's length, whatever the pattern") {
  const Pattern deep = *Pattern::parse("*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.**");
  std::string action = "a";
  for (int i = 0; i < 127; ++i) action += ".a";
  size_t matched = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) matched += deep.matches(Kind::kEvent, action);
  const auto each = (std::chrono::steady_clock::now() - begin) / 10'000;
  CHECK(matched == 10'000);
  CHECK(each < std::chrono::microseconds(50));  // linear takes well below one
}

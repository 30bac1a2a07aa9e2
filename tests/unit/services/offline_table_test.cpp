#include "app/offline_table.h"

#include <catch2/catch.hpp>

#include "virtual_time.h"

using namespace godwit;
using app::OfflineTable;

namespace {

struct Fixture {
  wire::StoredMessage event(std::string_view action, std::string_view body = {}) {
    return {wire::Envelope{.kind = wire::Kind::kEvent, .action = action}, as_bytes(body)};
  }
  Status keep(const std::string& uid, std::string_view action, Duration ttl = {}, std::string_view body = {}) {
    return table().keep(uid, event(action, body), ttl, tally);
  }
  std::vector<std::string> enter(const std::string& uid) {
    std::vector<std::string> actions;
    for (const OfflineTable::Kept& kept : table().enter(uid, tally))
      actions.emplace_back(kept.message.envelope().action);
    return actions;
  }
  OfflineTable& table() {
    if (!made) made = std::make_unique<OfflineTable>(clock, limits);
    return *made;
  }
  void pass(Duration by) { clock.move_to(clock.now() + by); }

  testing::VirtualClock clock;
  app::OfflineLimits limits;
  std::unique_ptr<OfflineTable> made;
  OfflineTable::Tally tally;
};
using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "events for who went are kept until they are here again, and given out once, in order") {
  CHECK(keep("ada", "early").error().code == Code::kTargetNotFound);
  table().leave("ada");
  for (const char* action : {"a", "b", "c"}) REQUIRE(keep("ada", action));
  CHECK(tally.bytes > 0);
  CHECK(enter("ada") == Strings{"a", "b", "c"});
  CHECK(enter("ada").empty());
  CHECK(keep("ada", "here").error().code == Code::kTargetNotFound);
  CHECK(tally.kept == 3);
  CHECK(tally.delivered == 3);
  CHECK(tally.bytes == 0);
}

TEST_CASE_METHOD(Fixture, "who is away for too long is forgotten, with what was kept") {
  table().leave("ada");
  pass(3min - 1ms);
  REQUIRE(keep("ada", "last", 1min));
  pass(1min - 1ms);
  REQUIRE(keep("ada", "short", 1s));
  pass(1ms);
  CHECK(enter("ada") == Strings{"short"});
  CHECK(tally.expired == 1);
  table().leave("ada");
  REQUIRE(keep("ada", "lost"));
  pass(3min);
  CHECK(keep("ada", "late").error().code == Code::kTargetNotFound);
  CHECK(tally.expired == 2);
  CHECK(tally.bytes == 0);
}

TEST_CASE_METHOD(Fixture, "no event is kept longer than the table keeps any") {
  table().leave("ada");
  REQUIRE(keep("ada", "long", 1h));
  pass(3min);
  CHECK(enter("ada").empty());
}

TEST_CASE_METHOD(Fixture, "the oldest make room, in number and in bytes, and are counted") {
  limits.messages_max = 3;
  limits.bytes_max = 4000;
  table().leave("ada");
  for (const char* action : {"a", "b", "c", "d"}) REQUIRE(keep("ada", action));
  CHECK(tally.dropped == 1);
  const std::string body(3000, 'x');
  REQUIRE(keep("ada", "big", {}, body));
  CHECK(enter("ada").back() == "big");
  table().leave("ada");
  CHECK(keep("ada", "huge", {}, std::string(5000, 'x')).error().code == Code::kMessageTooLarge);
}

TEST_CASE_METHOD(Fixture, "in all there is a bound as well, at which senders are told") {
  limits.total_bytes_max = 5000;
  table().leave("ada");
  table().leave("bob");
  const std::string body(3000, 'x');
  REQUIRE(keep("ada", "big", {}, body));
  CHECK(keep("bob", "big", {}, body).error().code == Code::kQueueFull);
  CHECK(enter("ada") == Strings{"big"});
  CHECK(keep("bob", "big", {}, body));
}

TEST_CASE_METHOD(Fixture, "where nothing is to be kept nobody is known") {
  limits.ttl = 0s;
  table().leave("ada");
  CHECK(keep("ada", "a").error().code == Code::kTargetNotFound);
}

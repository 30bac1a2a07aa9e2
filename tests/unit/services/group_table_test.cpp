#include "app/group_table.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

using namespace godwit;
using app::Audience;
using app::GroupTable;
using host::SessionKey;

namespace {

std::set<SessionKey> everyone(const Audience& audience) {
  std::set<SessionKey> keys;
  for (const auto& of_worker : audience.by_worker) keys.insert(of_worker.begin(), of_worker.end());
  return keys;
}

}  // namespace

TEST_CASE("a session is in the groups that it joined, until it leaves them or ends") {
  GroupTable table;
  table.enter(1, 0);
  table.enter(2, 1);
  CHECK(table.size("red") == 0);
  REQUIRE(table.join(1, "red"));
  REQUIRE(table.join(1, "red"));
  REQUIRE(table.join(2, "red"));
  REQUIRE(table.join(2, "blue"));
  CHECK(table.size("red") == 2);
  CHECK(table.groups_of(2) == std::vector<std::string>{"red", "blue"});
  REQUIRE(table.leave(2, "red"));
  REQUIRE(table.leave(2, "red"));
  CHECK(table.size("red") == 1);
  table.leave(2);
  CHECK(table.groups_of(2).empty());
  CHECK(table.group_count() == 1);
  CHECK(table.join(2, "red").error().code == Code::kStaleHandle);
  CHECK(table.leave(2, "red").error().code == Code::kStaleHandle);
}

TEST_CASE("an audience is split by worker and leaves out the one that is excepted") {
  GroupTable table;
  for (const SessionKey key : {1, 2, 3}) {
    table.enter(key, key == 2 ? 1 : 0);
    REQUIRE(table.join(key, "room"));
  }
  const Audience all = table.audience("room", 0);
  CHECK(all.by_worker == std::vector<std::vector<SessionKey>>{{1, 3}, {2}});
  CHECK(table.audience("room", 3).by_worker == std::vector<std::vector<SessionKey>>{{1}, {2}});
  CHECK(table.audience("elsewhere", 0).size() == 0);
}

TEST_CASE("members come in pages, each beyond the last key of the one before") {
  GroupTable table;
  for (SessionKey key = 1; key <= 25; ++key) {
    table.enter(key, 0);
    REQUIRE(table.join(key, "room"));
  }
  const auto first = table.members("room", 0, 10);
  const auto second = table.members("room", first.back(), 10);
  const auto third = table.members("room", second.back(), 10);
  CHECK(first.front() == 1);
  CHECK(second.front() == 11);
  CHECK(third == std::vector<SessionKey>{21, 22, 23, 24, 25});
  CHECK(table.members("room", 25, 10).empty());
}

TEST_CASE("names of groups and the number of a session's groups are bounded") {
  GroupTable table;
  table.enter(1, 0);
  CHECK(table.join(1, "").error().code == Code::kMessageTooLarge);
  CHECK(table.join(1, std::string(257, 'g')).error().code == Code::kMessageTooLarge);
  for (int i = 0; i < 1000; ++i) REQUIRE(table.join(1, std::to_string(i)));
  CHECK(table.join(1, "one more").error().code == Code::kStoreFull);
  CHECK(table.join(1, "7"));
  REQUIRE(table.leave(1, "7"));
  CHECK(table.join(1, "one more"));
}

TEST_CASE("with 10,000 members, who stays gets each publish once while others come and go") {
  constexpr SessionKey kStay = 10'000;
  constexpr SessionKey kMove = 500;
  GroupTable table;
  for (SessionKey key = 1; key <= kStay + kMove; ++key) {
    table.enter(key, key % 2);
    if (key <= kStay) REQUIRE(table.join(key, "room"));
  }
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  std::thread movers([&] {
    while (!stop) {
      for (SessionKey key = kStay + 1; key <= kStay + kMove; ++key) (void)table.join(key, "room");
      for (SessionKey key = kStay + 1; key <= kStay + kMove; ++key) (void)table.leave(key, "room");
      ++rounds;
    }
  });
  for (int publish = 0; publish < 50 || rounds < 2; ++publish) {
    const Audience audience = table.audience("room", 0);
    const std::set<SessionKey> keys = everyone(audience);
    REQUIRE(keys.size() == audience.size());  // nobody twice
    size_t staying = 0;
    for (const SessionKey key : keys) staying += key <= kStay;
    REQUIRE(staying == kStay);
    // One mover at a time changes, so what was seen is the beginning or the end of their line, never a piece in
    // between.
    const size_t moving = keys.size() - staying;
    const bool beginning = moving == 0 || keys.contains(kStay + 1);
    const bool end = moving == 0 || keys.contains(kStay + kMove);
    REQUIRE((beginning || end));
    REQUIRE((moving == 0 || *std::prev(keys.end()) - *keys.upper_bound(kStay) + 1 == moving));
  }
  stop = true;
  movers.join();
  CHECK(table.audience("room", 0).size() == kStay);
}

#include "base/slot_map.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace godwit;

TEST_CASE("an id finds its object until it is erased, and nothing afterwards") {
  SlotMap<std::string> map;
  const auto id = map.emplace("one");
  REQUIRE(*map.get(id) == "one");
  REQUIRE(map.erase(id));
  REQUIRE(map.get(id) == nullptr);
  REQUIRE_FALSE(map.erase(id));
  REQUIRE(map.size() == 0);
}

TEST_CASE("an id never finds the object that took its slot") {
  SlotMap<std::string> map;
  const auto old_id = map.emplace("old");
  map.erase(old_id);
  const auto new_id = map.emplace("new");
  REQUIRE(new_id.slot == old_id.slot);
  REQUIRE(map.get(old_id) == nullptr);
  REQUIRE(*map.get(new_id) == "new");
}

TEST_CASE("maps that are numbered apart never hand out the same id, nor find each other's") {
  SlotMap<std::string> first(1), last(255), unnumbered;
  const auto one = first.emplace("one"), two = last.emplace("two"), three = unnumbered.emplace("three");
  REQUIRE(std::set{one, two, three}.size() == 3);
  REQUIRE(one.slot >> SlotMap<std::string>::kIndexBits == 1);
  REQUIRE(two.slot >> SlotMap<std::string>::kIndexBits == 255);
  REQUIRE(*first.get(one) == "one");
  REQUIRE(*last.get(two) == "two");
  REQUIRE(first.get(two) == nullptr);
  REQUIRE_FALSE(last.erase(one));
  REQUIRE(unnumbered.get(one) == nullptr);
  REQUIRE(last.erase(two));
  REQUIRE(last.emplace("three").slot == two.slot);
  last.for_each([&](Id<std::string> id, std::string& text) { REQUIRE(last.get(id) == &text); });
}

TEST_CASE("an erased object lives until it is reaped") {
  SlotMap<std::shared_ptr<int>> map;
  const auto value = std::make_shared<int>(1);
  const auto id = map.emplace(value);
  map.erase(id);
  REQUIRE(value.use_count() == 2);
  REQUIRE(map.doomed() == 1);
  REQUIRE(map.reap() == 1);
  REQUIRE(value.use_count() == 1);
  REQUIRE(map.doomed() == 0);
}

TEST_CASE("the default id names nothing, and ids survive a trip through a number") {
  SlotMap<int> map;
  REQUIRE_FALSE(Id<int>{});
  REQUIRE(map.get({}) == nullptr);
  const auto id = map.emplace(7);
  REQUIRE(map.get({}) == nullptr);
  REQUIRE(Id<int>::from_u64(id.to_u64()) == id);
  REQUIRE(map.get({99, 1}) == nullptr);
}

TEST_CASE("a visitor may erase what it visits") {
  SlotMap<int> map;
  for (int i = 0; i < 10; ++i) map.emplace(i);
  int sum = 0;
  map.for_each([&](Id<int> id, int& value) {
    sum += value;
    if (value % 2) map.erase(id);
  });
  REQUIRE(sum == 45);
  REQUIRE(map.size() == 5);
}

#include "app/session_directory.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <iterator>
#include <thread>

#include "virtual_time.h"

using namespace godwit;
using app::SessionDirectory;
using host::SessionInfo;
using host::SessionKey;
using host::Value;

namespace {

struct Fixture {
  testing::VirtualClock clock;
  SessionDirectory directory{clock};

  void enter(SessionKey key, std::string uid, uint32_t worker = 0) {
    directory.enter({.key = key, .client_id = "device", .uid = std::move(uid), .worker = worker});
  }
};

std::vector<SessionKey> keys_of(const std::vector<SessionInfo>& list) {
  std::vector<SessionKey> keys;
  for (const SessionInfo& info : list) keys.push_back(info.key);
  return keys;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a session is found by key and uid while it lives, and not after") {
  CHECK_FALSE(directory.find(1));
  enter(1, "ada", 1);
  enter(2, "ada");
  enter(3, "");
  CHECK(directory.find(1)->uid == "ada");
  CHECK(directory.worker_of(1) == 1u);
  CHECK(directory.sessions_of("ada") == std::vector<SessionKey>{1, 2});
  CHECK(directory.sessions_of("").empty());
  CHECK(directory.size() == 3);
  directory.leave(1);
  directory.leave(1);
  CHECK_FALSE(directory.find(1));
  CHECK_FALSE(directory.worker_of(1));
  CHECK(directory.sessions_of("ada") == std::vector<SessionKey>{2});
  directory.leave(2);
  CHECK(directory.sessions_of("ada").empty());
}

TEST_CASE_METHOD(Fixture, "what ends leaves its groups and attributes behind") {
  enter(1, "ada");
  REQUIRE(directory.groups().join(1, "room"));
  REQUIRE(directory.attributes().set(1, "name", Value("x"), {}));
  directory.leave(1);
  CHECK(directory.groups().size("room") == 0);
  CHECK_FALSE(directory.attributes().get(1, "name"));
}

TEST_CASE_METHOD(Fixture, "lists come in pages, of all or of a group") {
  for (SessionKey key = 1; key <= 9; ++key) {
    enter(key, "u" + std::to_string(key));
    if (key % 3 == 0) REQUIRE(directory.groups().join(key, "third"));
  }
  CHECK(keys_of(directory.list({.limit = 4})) == std::vector<SessionKey>{1, 2, 3, 4});
  CHECK(keys_of(directory.list({.after = 4, .limit = 4})) == std::vector<SessionKey>{5, 6, 7, 8});
  CHECK(keys_of(directory.list({.group = "third", .after = 3, .limit = 4})) == std::vector<SessionKey>{6, 9});
  CHECK(directory.everybody(5).size() == 8);
}

TEST_CASE_METHOD(Fixture, "who joins while their session ends stays in no group") {
  for (SessionKey key = 1; key <= 2000; ++key) enter(key, "u");
  std::thread joining([&] {
    for (SessionKey key = 1; key <= 2000; ++key) (void)directory.groups().join(key, "room");
  });
  for (SessionKey key = 1; key <= 2000; ++key) directory.leave(key);
  joining.join();
  CHECK(directory.groups().size("room") == 0);
  CHECK(directory.groups().group_count() == 0);
  CHECK(directory.size() == 0);
}

TEST_CASE_METHOD(Fixture, "pages over ten thousand sessions that change repeat none that stays, and leave none out") {
  for (SessionKey key = 1; key <= 10'000; ++key) enter(key, "u");
  std::atomic<bool> stop = false;
  // Every third one comes and goes all the time, and strangers do.
  std::thread changing([&] {
    for (SessionKey round = 0; !stop; ++round) {
      const SessionKey key = round % 3'333 * 3 + 3;
      directory.leave(key);
      enter(20'000 + round % 500, "stranger");
      enter(key, "u");
      directory.leave(20'000 + (round + 250) % 500);
    }
  });
  for (int pass = 0; pass < 20; ++pass) {
    std::vector<SessionKey> stable;
    for (std::vector<SessionKey> page;;) {
      page = keys_of(directory.list({.after = page.empty() ? 0 : page.back(), .limit = 100}));
      if (page.empty()) break;
      std::copy_if(page.begin(), page.end(), std::back_inserter(stable),
                   [](SessionKey key) { return key <= 10'000 && key % 3 != 0; });
    }
    CHECK(stable.size() == 6'667);
    CHECK(std::is_sorted(stable.begin(), stable.end()));
    CHECK(std::adjacent_find(stable.begin(), stable.end()) == stable.end());
  }
  stop = true;
  changing.join();
}

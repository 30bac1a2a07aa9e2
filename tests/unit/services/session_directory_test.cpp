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
    const std::string client_id = "device-" + std::to_string(key);
    REQUIRE(directory.enter({.key = key, .client_id = client_id, .uid = std::move(uid), .worker = worker}, {}));
  }
  /// A session of the client "device".
  Result<std::optional<SessionKey>> enter_device(SessionKey key, std::string uid, const app::NameClaim& claim) {
    return directory.enter({.key = key, .client_id = "device", .uid = std::move(uid)}, claim);
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

TEST_CASE_METHOD(Fixture, "who proves the same uid takes the place of the session that had the name, and nobody else") {
  CHECK(enter_device(1, "ada", {.proved = true}).value() == std::nullopt);
  for (const auto& [uid, claim] : {std::pair{"eve", app::NameClaim{.proved = true}},
                                   {"ada", {.proved = false}},
                                   {"ada", {.proved = false, .attempt = {7, 1}}}}) {
    CHECK(enter_device(2, uid, claim).error().code == Code::kIdentityInUse);
    CHECK(directory.incumbent("device", uid, claim).error().code == Code::kIdentityInUse);
    CHECK_FALSE(directory.find(2));
  }
  CHECK(directory.incumbent("device", "ada", {.proved = true}).value() == std::optional<SessionKey>(1));
  CHECK(enter_device(3, "ada", {.proved = true}).value() == std::optional<SessionKey>(1));
}

TEST_CASE_METHOD(Fixture, "the same program needs no credentials, and an older greeting of it comes too late") {
  REQUIRE(enter_device(1, "device", {.attempt = {7, 2}}));
  CHECK(enter_device(2, "device", {.attempt = {7, 1}}).error().code == Code::kSuperseded);
  CHECK(enter_device(2, "device", {.proved = true, .attempt = {7, 2}}).error().code == Code::kSuperseded);
  CHECK(enter_device(2, "device", {.attempt = {8, 9}}).error().code == Code::kIdentityInUse);
  CHECK(enter_device(2, "device", {.attempt = {7, 3}}).value() == std::optional<SessionKey>(1));
  // Another connection took the session up meanwhile.
  directory.move(2, "elsewhere", {7, 5});
  CHECK(enter_device(3, "device", {.attempt = {7, 4}}).error().code == Code::kSuperseded);
}

TEST_CASE_METHOD(Fixture, "a session that lost its name does not take it away when it ends") {
  REQUIRE(enter_device(1, "ada", {.proved = true}));
  REQUIRE(enter_device(2, "ada", {.proved = true}));
  directory.leave(1);
  CHECK(directory.incumbent("device", "ada", {.proved = true}).value() == std::optional<SessionKey>(2));
  directory.leave(2);
  CHECK(directory.incumbent("device", "eve", {}).value() == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "a user has as many sessions as allowed, and may replace one of them") {
  const auto enter_phone = [&](SessionKey key, std::string client_id) {
    return directory.enter({.key = key, .client_id = std::move(client_id), .uid = "ada"},
                           {.proved = true, .sessions_max = 2});
  };
  REQUIRE(enter_phone(1, "phone-1"));
  REQUIRE(enter_phone(2, "phone-2"));
  CHECK(enter_phone(3, "phone-3").error().code == Code::kTooManyConnections);
  CHECK(directory.size() == 2);
  REQUIRE(enter_phone(4, "phone-2"));
  directory.leave(2);
  directory.leave(1);
  CHECK(enter_phone(5, "phone-3"));
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

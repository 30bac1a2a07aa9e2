#include "app/kv_store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "virtual_time.h"

using namespace godwit;
using app::KvLimits;
using host::Value;

namespace {

struct Fixture {
  testing::VirtualClock clock;
  app::MemoryKvStore kv{clock, {.entries_max = 4, .bytes_max = 4096}};

  void pass(Duration time) { clock.move_to(clock.now() + time); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a value is there from set to removal, in its own space only") {
  CHECK_FALSE(kv.get("app", "k"));
  REQUIRE(kv.set("app", "k", Value("text"), {}));
  CHECK(kv.get("app", "k") == Value("text"));
  CHECK_FALSE(kv.get("other", "k"));
  CHECK(kv.remove("app", "k"));
  CHECK_FALSE(kv.remove("app", "k"));
  CHECK_FALSE(kv.get("app", "k"));
}

TEST_CASE_METHOD(Fixture, "values keep their type") {
  REQUIRE(kv.set("app", "n", Value(1.5), {}));
  REQUIRE(kv.set("app", "b", Value(false), {}));
  CHECK(kv.get("app", "n") == Value(1.5));
  CHECK(kv.get("app", "b") == Value(false));
}

TEST_CASE_METHOD(Fixture, "what has a ttl is there until it has passed; setting again begins anew") {
  REQUIRE(kv.set("app", "k", Value(1.0), 10s));
  pass(9s);
  CHECK(kv.ttl("app", "k") == Duration(1s));
  REQUIRE(kv.set("app", "k", Value(2.0), 10s));
  pass(9s);
  CHECK(kv.get("app", "k") == Value(2.0));
  pass(1s);
  CHECK_FALSE(kv.get("app", "k"));
  CHECK_FALSE(kv.ttl("app", "k"));
  REQUIRE(kv.set("app", "k", Value(3.0), {}));
  CHECK(kv.ttl("app", "k") == Duration::max());
}

TEST_CASE_METHOD(Fixture, "add takes a key once, and again when it has expired") {
  CHECK(*kv.add("app", "once", Value(1.0), 10s));
  CHECK_FALSE(*kv.add("app", "once", Value(2.0), 10s));
  CHECK(kv.get("app", "once") == Value(1.0));
  pass(10s);
  CHECK(*kv.add("app", "once", Value(3.0), 10s));
}

TEST_CASE_METHOD(Fixture, "increment begins at the initial value, keeps the ttl it began with, and refuses text") {
  CHECK(*kv.increment("app", "n", 1, 10, 10s) == 11);
  pass(6s);
  CHECK(*kv.increment("app", "n", 2, 10, 10s) == 13);
  pass(4s);
  CHECK(*kv.increment("app", "n", 1, 0, {}) == 1);
  REQUIRE(kv.set("app", "t", Value("7"), {}));
  CHECK(kv.increment("app", "t", 1, 0, {}).error().code == Code::kValueWrong);
  CHECK(kv.get("app", "t") == Value("7"));
}

TEST_CASE_METHOD(Fixture, "compare-and-set changes and removes what is as expected, and nothing else") {
  CHECK_FALSE(*kv.compare_and_set("app", "k", Value("a"), Value("b"), {}));
  CHECK(*kv.compare_and_set("app", "k", std::nullopt, Value("a"), {}));
  CHECK_FALSE(*kv.compare_and_set("app", "k", Value("b"), Value("c"), {}));
  CHECK(*kv.compare_and_set("app", "k", Value("a"), std::nullopt, {}));
  CHECK_FALSE(kv.get("app", "k"));
}

TEST_CASE_METHOD(Fixture, "at the bound what lives is kept and what has expired makes room") {
  for (const char* key : {"a", "b", "c"}) REQUIRE(kv.set("app", key, Value(1.0), {}));
  REQUIRE(kv.set("app", "short", Value(1.0), 1s));
  CHECK(kv.set("app", "d", Value(1.0), {}).error().code == Code::kStoreFull);
  CHECK(kv.set("app", "a", Value(2.0), {}));
  CHECK(kv.set("other", "d", Value(1.0), {}));
  pass(1s);
  CHECK(kv.set("app", "d", Value(1.0), {}));
  CHECK(kv.keys("app", "", "", 10) == std::vector<std::string>{"a", "b", "c", "d"});
}

TEST_CASE("bytes are bounded, exactly, and come back") {
  testing::VirtualClock clock;
  app::MemoryKvStore kv(clock, {.entries_max = 100, .bytes_max = 1000});
  const size_t room = 1000 - KvLimits::kEntryBytes - 1;
  CHECK(kv.set("app", "k", Value(std::string(room + 1, 'v')), {}).error().code == Code::kStoreFull);
  CHECK(kv.set("app", "k", Value(std::string(room, 'v')), {}));
  CHECK(kv.set("app", "l", Value(1.0), {}).error().code == Code::kStoreFull);
  CHECK(kv.set("app", "k", Value(std::string(room - 500, 'v')), {}));
  CHECK(kv.set("app", "l", Value(1.0), {}));
  CHECK(kv.remove("app", "l"));
  CHECK(kv.set("app", "k", Value(std::string(room, 'v')), {}));
}

TEST_CASE_METHOD(Fixture, "keys and values beyond their bounds are refused") {
  CHECK(kv.set("app", "", Value(1.0), {}).error().code == Code::kMessageTooLarge);
  CHECK(kv.set("app", std::string(513, 'k'), Value(1.0), {}).error().code == Code::kMessageTooLarge);
  CHECK(kv.set("app", "k", Value(std::string((1 << 20) + 1, 'v')), {}).error().code == Code::kMessageTooLarge);
}

TEST_CASE("keys come in order and in pages, without those that have expired") {
  testing::VirtualClock clock;
  app::MemoryKvStore kv(clock, {});
  for (const char* key : {"user:3", "user:1", "user:2", "room:1", "zebra"}) REQUIRE(kv.set("app", key, Value(1.0), {}));
  REQUIRE(kv.set("app", "user:0", Value(1.0), 1s));
  clock.move_to(clock.now() + 1s);
  CHECK(kv.keys("app", "user:", "", 2) == std::vector<std::string>{"user:1", "user:2"});
  CHECK(kv.keys("app", "user:", "user:2", 2) == std::vector<std::string>{"user:3"});
  CHECK(kv.keys("app", "nobody", "", 2).empty());
  CHECK(kv.keys("app", "", "", 100).size() == 5);
}

TEST_CASE("of threads that add the same keys one wins each, and no increment is lost") {
  testing::VirtualClock clock;
  app::MemoryKvStore kv(clock, {});
  std::atomic<int> won{0};
  const auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      if (*kv.add("app", "key" + std::to_string(i), Value(1.0), {})) ++won;
      (void)kv.increment("app", "n", 1, 0, {});
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(won == 2000);
  CHECK(kv.get("app", "n") == Value(4000.0));
}

TEST_CASE_METHOD(Fixture,
                 "a version is another one after each write, and what was read may be written back only once") {
  CHECK_FALSE(kv.get_versioned("app", "k"));
  CHECK(*kv.put_versioned("app", "k", 0, Value("one"), {}));
  CHECK_FALSE(*kv.put_versioned("app", "k", 0, Value("other"), {}));
  const auto first = kv.get_versioned("app", "k");
  CHECK(first->value == Value("one"));
  CHECK(first->version != 0);
  REQUIRE(kv.set("app", "k", Value("one"), {}));
  CHECK_FALSE(*kv.put_versioned("app", "k", first->version, Value("two"), {}));
  const auto second = kv.get_versioned("app", "k");
  CHECK(*kv.put_versioned("app", "k", second->version, Value("two"), 10s));
  CHECK(kv.get("app", "k") == Value("two"));
  pass(10s);
  CHECK_FALSE(*kv.put_versioned("app", "k", second->version, Value("three"), {}));
  CHECK(*kv.put_versioned("app", "k", 0, Value("three"), {}));
}

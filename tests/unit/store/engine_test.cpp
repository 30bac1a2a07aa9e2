#include <catch2/catch.hpp>

#include "../app/temp_folder.h"
#include "store/durable_engine.h"
#include "store/memory_engine.h"
#include "store_world.h"

using namespace godwit;
using namespace godwit::testing;
using What = StoreStep::What;

namespace {

constexpr size_t kBytesMax = 4 << 20;

/// Either engine, in a folder of its own.
struct World {
  app::TempFolder folder;
  QuietLog quiet;
  SharedClock clock;
  std::unique_ptr<store::Engine> engine;

  explicit World(bool durable) {
    if (!durable) {
      engine = std::make_unique<store::MemoryEngine>(clock, kBytesMax);
      return;
    }
    auto opened = store::DurableEngine::open({.file = folder.path() / "store.db", .bytes_max = kBytesMax}, clock,
                                             Log(quiet, "store"));
    REQUIRE(opened);
    engine = std::move(*opened);
  }
};

}  // namespace

TEST_CASE("a value is there until it is removed, and each write gives it a higher version") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  CHECK_FALSE(*store.get("a"));

  const uint64_t first = store.put("a", "one")->versions.at(0);
  CHECK(first > 0);
  CHECK(store.value("a") == "one");
  const uint64_t second = store.put("a", std::string("\0two", 4))->versions.at(0);
  CHECK(second > first);
  CHECK(store.get("a")->value().version == second);
  CHECK(store.value("a") == std::string("\0two", 4));

  CHECK(store.apply({{What::kRemove, "a"}})->applied);
  CHECK_FALSE(*store.get("a"));
  CHECK(store.put("a", "again")->versions.at(0) > second);
}

TEST_CASE("a step that names a version holds for that version only, and then nothing of its batch is done") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  CHECK_FALSE(store.put("a", "x", {}, 7)->applied);
  CHECK(store.put("a", "x", {}, 0)->applied);
  CHECK_FALSE(store.put("a", "y", {}, 0)->applied);
  const uint64_t version = store.get("a")->value().version;

  const auto refused =
      store.apply({{What::kPut, "b", "new"}, {What::kRemove, "a"}, {What::kExpect, "c", {}, {}, version}});
  CHECK_FALSE(refused->applied);
  CHECK(refused->failed_step == 2);
  CHECK(store.value("a") == "x");
  CHECK_FALSE(*store.get("b"));

  const auto done =
      store.apply({{What::kExpect, "a", {}, {}, version}, {What::kPut, "b", "new"}, {What::kRemove, "a"}});
  CHECK(done->applied);
  CHECK(done->versions.size() == 3);
  CHECK(done->versions[0] == version);
  CHECK(done->versions[2] == 0);
  CHECK_FALSE(*store.get("a"));
  CHECK(store.value("b") == "new");
}

TEST_CASE("steps of a batch see those before them") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  const auto done = store.apply(
      {{What::kPut, "a", "1", {}, 0}, {What::kAppend, "a", "2"}, {What::kRemove, "a"}, {What::kPut, "a", "3", {}, 0}});
  CHECK(done->applied);
  CHECK(store.value("a") == "3");
}

TEST_CASE("append makes a value longer, or begins it") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  store.apply({{What::kAppend, "log", "one,"}});
  store.apply({{What::kAppend, "log", "two,"}});
  CHECK(store.value("log") == "one,two,");
}

TEST_CASE("a value with a ttl is there before its end and gone after it") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  store.put("brief", "x", 10s);
  store.put("long", "x");
  world.clock.advance(9s);
  CHECK(store.get("brief")->value().left == 1s);
  CHECK(store.get("long")->value().left == Duration::max());
  world.clock.advance(1s);
  CHECK_FALSE(*store.get("brief"));
  CHECK(store.scan("")->size() == 1);
  // Absent for versions, too; and the new value has the new ttl.
  CHECK(store.put("brief", "y", 5s, 0)->applied);
  CHECK(store.get("brief")->value().left == 5s);
}

TEST_CASE("a scan goes through a prefix in the order of bytes, from where it stopped") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  for (const char* key : {"b/2", "a/1", "b/1", "b/3", "c", "b", "b/\xff"}) store.put(key, key);
  auto part = store.scan("b/", {}, 2);
  REQUIRE(part->size() == 2);
  CHECK(part->at(0).key == "b/1");
  CHECK(part->at(1).value == "b/2");
  part = store.scan("b/", part->at(1).key, 10);
  REQUIRE(part->size() == 2);
  CHECK(part->at(0).key == "b/3");
  CHECK(part->at(1).key == "b/\xff");
  CHECK(store.scan("")->size() == 7);
}

TEST_CASE("what is beyond the bounds is refused, and nothing of its batch is done") {
  World world(GENERATE(false, true));
  Patient store(*world.engine);
  CHECK(store.put("", "x").error().code == Code::kMessageTooLarge);
  CHECK(store.put(std::string(Store::kKeyBytesMax + 1, 'k'), "x").error().code == Code::kMessageTooLarge);
  CHECK(store.put(std::string(Store::kKeyBytesMax, 'k'), "x"));

  const auto full = store.apply({{What::kPut, "small", "x"}, {What::kPut, "large", std::string(kBytesMax, 'x')}});
  CHECK(full.error().code == Code::kStoreFull);
  CHECK(full.error().text.find("store.bytes_max") != std::string::npos);
  CHECK_FALSE(*store.get("small"));
  CHECK(store.put("small", "x"));
  CHECK(world.engine->counters().refused >= 3);
}

TEST_CASE("what has expired makes room") {
  World world(false);
  Patient store(*world.engine);
  const std::string value(kBytesMax / 2, 'x');
  CHECK(store.put("a", value, 1s));
  CHECK(store.put("b", value).error().code == Code::kStoreFull);
  world.clock.advance(1s);
  CHECK(store.put("b", value));
}

#include <godwit/plugin.h>

#include <random>

#include "plugin_world.h"
#include "port/store.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

StoreStep put(std::string key, std::string value, std::optional<uint64_t> version = {}, Duration ttl = {}) {
  return {StoreStep::What::kPut, std::move(key), std::move(value), ttl, version};
}

/// An instance of a store plugin, whose work is done at once when the test asks for it.
struct Keeper : PluginWorld {
  void load_store(const std::filesystem::path& file) {
    settings.values["path"] = file.string();
    load(shipped("store_file"), ++generation);
  }
  void settle() {
    while (!pool.works.empty()) {
      pool.run_all();
      advance(1ms);
    }
    advance(1ms);
  }
  Result<StoreVerdict> apply(StoreBatch batch) {
    std::optional<Result<StoreVerdict>> verdict;
    app->store()->apply(std::move(batch), [&](Result<StoreVerdict> heard) { verdict = std::move(heard); });
    settle();
    REQUIRE(verdict);
    return std::move(*verdict);
  }
  /// Of the first step's key, once the batch is applied.
  uint64_t version_after(StoreBatch batch) {
    const Result<StoreVerdict> verdict = apply(std::move(batch));
    REQUIRE(verdict);
    REQUIRE(verdict->applied);
    return verdict->versions.at(0);
  }
  Result<std::vector<StoreEntry>> scan(std::string prefix, std::string after = {}, size_t limit = 1000) {
    std::optional<Result<std::vector<StoreEntry>>> found;
    app->store()->scan(std::move(prefix), std::move(after), limit, [&](auto heard) { found = std::move(heard); });
    settle();
    REQUIRE(found);
    return std::move(*found);
  }
  std::string keys(const std::string& prefix, const std::string& after = {}, size_t limit = 1000) {
    std::string all;
    const auto found = scan(prefix, after, limit);
    if (!found) return name_of(found.error().code);
    for (const StoreEntry& entry : *found) all += entry.key + "=" + entry.value + " ";
    return all;
  }
  std::optional<StoreEntry> get(std::string key) {
    std::optional<StoreEntry> entry;
    app->store()->get(std::move(key), [&](auto found) { entry = *found; });
    settle();
    return entry;
  }
  uint32_t generation = 0;
};

}  // namespace

TEST_CASE("store_file keeps what was put, in order, by version") {
  SafeFolder folder;
  Keeper keeper;
  keeper.load_store(folder.path / "log");
  CHECK(keeper.keys("") == "");
  const auto first = keeper.apply({put("b", "1", 0), put("a", "2"), put("ab", "3")});
  REQUIRE(first);
  REQUIRE(first->applied);
  CHECK(first->versions == std::vector<uint64_t>{1, 2, 3});
  CHECK(keeper.keys("") == "a=2 ab=3 b=1 ");
  CHECK(keeper.keys("a") == "a=2 ab=3 ");
  CHECK(keeper.keys("", "a", 1) == "ab=3 ");
  CHECK(keeper.get("a")->version == 2);
  CHECK_FALSE(keeper.get("aa"));

  const auto conflict = keeper.apply({put("a", "9", 2), put("b", "9", 7)});
  REQUIRE(conflict);
  CHECK_FALSE(conflict->applied);
  CHECK(conflict->failed_step == 1);
  CHECK(keeper.get("a")->value == "2");

  const auto second = keeper.apply({{StoreStep::What::kExpect, "a", {}, {}, 2},
                                    {StoreStep::What::kAppend, "a", "22"},
                                    {StoreStep::What::kAppend, "c", "4"},
                                    {StoreStep::What::kRemove, "b", {}, {}, 1}});
  REQUIRE(second->applied);
  CHECK(second->versions == std::vector<uint64_t>{2, 4, 5, 0});
  CHECK(keeper.keys("") == "a=222 ab=3 c=4 ");
}

TEST_CASE("calls are made in the order in which they were begun, and each hears its own end") {
  SafeFolder folder;
  Keeper keeper;
  keeper.load_store(folder.path / "log");
  std::vector<std::string> heard;
  for (int i = 0; i < 50; ++i) {
    keeper.app->store()->apply({{StoreStep::What::kAppend, "k", "x"}}, [&](auto verdict) {
      heard.push_back(verdict ? std::to_string(verdict->versions.at(0)) : "failed");
    });
    keeper.app->store()->get("k", [&](auto found) { heard.push_back(found && *found ? (*found)->value : "failed"); });
  }
  CHECK(keeper.app->pins() >= 100);
  CHECK(heard.empty());
  keeper.settle();
  REQUIRE(heard.size() == 100);
  for (size_t i = 0; i < 50; ++i) {
    CHECK(heard[2 * i] == std::to_string(i + 1));
    CHECK(heard[2 * i + 1] == std::string(i + 1, 'x'));
  }
  CHECK(keeper.app->pins() == 0);
}

TEST_CASE("a ttl ends an entry, and its version is not given again") {
  SafeFolder folder;
  Keeper keeper;
  keeper.load_store(folder.path / "log");
  const uint64_t version = keeper.version_after({put("a", "1", {}, 1h)});
  const Duration left = keeper.get("a")->left;
  CHECK((left > 59min && left <= 1h));
  CHECK(keeper.apply({put("b", "1", {}, Duration(1))})->applied);
  CHECK(keeper.keys("") == "a=1 ");
  CHECK(keeper.version_after({put("b", "2", 0)}) > version);
}

TEST_CASE("two keepers of one file, in one process or two, see the same, also when one writes it anew") {
  SafeFolder folder;
  Keeper one, other;
  one.load_store(folder.path / "log");
  other.load_store(folder.path / "log");
  const uint64_t version = one.version_after({put("a", "1", 0)});
  CHECK_FALSE(other.apply({put("a", "2", 0)})->applied);
  CHECK(other.apply({put("a", "2", version)})->applied);
  CHECK(one.get("a")->value == "2");
  const std::string large(100'000, 'x');
  uint64_t last = 0;
  for (int i = 0; i < 40; ++i) {
    const uint64_t next = (i % 2 ? one : other).version_after({put("large", large)});
    CHECK(next > last);
    last = next;
  }
  CHECK(std::filesystem::file_size(folder.path / "log") < 3'000'000);
  CHECK(one.keys("a") == "a=2 ");
  CHECK(other.keys("a") == "a=2 ");
}

TEST_CASE("another generation, and another process, find what was kept") {
  SafeFolder folder;
  Keeper keeper;
  keeper.load_store(folder.path / "log");
  CHECK(keeper.apply({put("a", "1")})->applied);
  keeper.load_store(folder.path / "log");
  CHECK(keeper.keys("") == "a=1 ");
  CHECK(keeper.apply({put("a", "2", 1)})->applied);
}

TEST_CASE("what was being written when a process died is cut off, and what has rotted is said to be damaged") {
  SafeFolder folder;
  const auto file = folder.path / "log";
  {
    Keeper keeper;
    keeper.load_store(file);
    CHECK(keeper.apply({put("a", "1")})->applied);
    CHECK(keeper.apply({put("b", "2")})->applied);
  }
  const std::string whole = bytes_of(file);
  for (size_t cut = 1; cut < whole.size() / 2; ++cut) {
    folder.write("log", whole.substr(0, whole.size() - cut));
    Keeper keeper;
    keeper.load_store(file);
    CHECK(keeper.keys("") == "a=1 ");
    CHECK(keeper.apply({put("c", "3")})->applied);
    CHECK(keeper.keys("") == "a=1 c=3 ");
  }
  std::string rotten = whole;
  rotten[16] = static_cast<char>(rotten[16] + 1);
  folder.write("log", rotten);
  Keeper keeper;
  keeper.load_store(file);
  CHECK(keeper.keys("") == "StoreDamaged");
  REQUIRE(keeper.log.find("the store failed"));
  CHECK(keeper.log.find("the store failed")->fields.at("error").ends_with("log is not what was written"));
}

TEST_CASE("at its bound a store says that it is full, and what is there stays") {
  SafeFolder folder;
  Keeper keeper;
  keeper.settings.values["bytes_max"] = std::string("1KiB");
  keeper.load_store(folder.path / "log");
  CHECK(keeper.apply({put("a", std::string(500, 'x'))})->applied);
  CHECK(keeper.apply({put("b", std::string(500, 'x'))}).error().code == Code::kStoreFull);
  CHECK(keeper.apply({{StoreStep::What::kRemove, "a"}})->applied);
  CHECK(keeper.apply({put("b", std::string(500, 'x'))})->applied);
  keeper.settings.values["path"] = std::string("relative");
  CHECK(keeper.load_error(shipped("store_file")).code == Code::kPluginLoadFailed);
}

TEST_CASE("a pool that is full makes a call StoreBusy") {
  SafeFolder folder;
  Keeper keeper;
  keeper.load_store(folder.path / "log");
  keeper.pool.full = true;
  CHECK(keeper.apply({put("a", "1")}).error().code == Code::kStoreBusy);
  keeper.pool.full = false;
  CHECK(keeper.apply({put("a", "1")})->applied);
}

TEST_CASE("a store that breaks its promises is a failure of the plugin, and never heard twice") {
  Keeper keeper;
  keeper.load(built("forgetful.so"));
  CHECK(keeper.keys("fine") == "fine=value ");
  CHECK(keeper.keys("refused") == "StoreBusy");
  const uint64_t before = keeper.app->stats().errors;
  CHECK(keeper.keys("twice") == "twice=value ");
  CHECK(keeper.app->stats().errors == before + 1);
  CHECK(keeper.keys("damaged") == "StoreFailed");
  CHECK(keeper.keys("many") == "StoreFailed");
  CHECK_FALSE(keeper.apply({put("x", ""), put("y", "")})->applied);
  CHECK(keeper.apply({put("nowhere", "")}).error().code == Code::kStoreFailed);
  CHECK(keeper.apply({put("nothing", "")}).error().code == Code::kStoreFailed);
  CHECK(keeper.apply({put("stale", "")}).error().code == Code::kStoreFailed);
  CHECK(keeper.app->pins() == 0);
}

TEST_CASE("an end from another thread is not heard, and what a replaced generation owes fails when its time is over") {
  Keeper keeper;
  keeper.load(built("forgetful.so"));
  std::string heard;
  keeper.app->store()->scan("elsewhere", {}, 1, [&](auto found) { heard += name_of(found.error().code) + " "; });
  keeper.app->store()->scan("later", {}, 1, [&](auto found) { heard += name_of(found.error().code) + " "; });
  keeper.advance(1s);
  CHECK(heard == "");
  CHECK(keeper.app->pins() == 2);
  CHECK(keeper.apply({put("later", "")})->applied);
  CHECK(heard == "StoreDamaged ");
  keeper.app->cancel(Code::kScriptRetired, keeper.sink);
  CHECK(heard == "StoreDamaged StoreFailed ");
  CHECK(keeper.app->pins() == 0);
}

TEST_CASE("commands are executed once where a plugin has bound them so") {
  PluginWorld world;
  world.load(built("bound.so"));
  CHECK_FALSE(world.app->once(0));
  CHECK(world.app->once(1) == OnceOptions::BrokenOff::kUnknown);
  CHECK(world.app->once(2) == OnceOptions::BrokenOff::kAgain);
  CHECK(world.app->registrations().size() == 3);
  CHECK(world.answer("plain") == "1 2");
}

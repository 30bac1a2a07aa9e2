#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "../app/temp_folder.h"
#include "base/prng.h"
#include "store/durable_engine.h"
#include "store_world.h"

using namespace godwit;
using namespace godwit::testing;
using What = StoreStep::What;

namespace {

struct Disk {
  app::TempFolder folder;
  QuietLog quiet;
  SharedClock clock;
  std::filesystem::path file = folder.path() / "store.db";

  Result<std::unique_ptr<store::DurableEngine>> open(store::DurableOptions options = {}) {
    options.file = file;
    return store::DurableEngine::open(std::move(options), clock, Log(quiet, "store"));
  }
  std::unique_ptr<store::DurableEngine> must_open(store::DurableOptions options = {}) {
    auto opened = open(std::move(options));
    if (!opened) FAIL(opened.error().to_string());
    return std::move(*opened);
  }
  std::string bytes() const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void overwrite(const std::string& bytes) const { std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes; }
};

bool names(const Error& error, const std::filesystem::path& file) {
  return error.text.find(file.string()) != std::string::npos;
}

}  // namespace

TEST_CASE("what was written is there after the store is opened again, with what is left of its ttl") {
  Disk disk;
  uint64_t version = 0;
  {
    auto engine = disk.must_open();
    Patient store(*engine);
    store.put("kept", "value");
    store.put("brief", "x", 10s);
    version = store.put("late", "x", 100s)->versions.at(0);
    store.apply({{What::kRemove, "late"}});
  }
  disk.clock.advance(10s);
  auto engine = disk.must_open();
  Patient store(*engine);
  CHECK(store.value("kept") == "value");
  CHECK_FALSE(*store.get("brief"));
  // Versions go on where they were, although the last is no entry's any more.
  CHECK(store.put("new", "x")->versions.at(0) > version);
}

TEST_CASE("calls that come while a group is on its way to disk share the next sync") {
  Disk disk;
  auto engine = disk.must_open();
  Patient store(*engine);
  store.put("warm", "up");
  const uint64_t before = engine->counters().commits;
  size_t answered = 0;
  store.hold_engine();
  for (int i = 0; i < 256; ++i) {
    store.door->apply({{What::kPut, "k" + std::to_string(i), "v"}},
                      [&](const auto& done) { answered += done->applied; });
  }
  CHECK(answered == 0);
  store.home.let_go();
  store.home.run_until([&] { return answered == 256; });
  CHECK(engine->counters().commits - before == 2);
}

TEST_CASE("one call without room does not fail those of its group") {
  Disk disk;
  auto engine = disk.must_open({.bytes_max = 4 << 20});
  Patient store(*engine);
  std::vector<Code> codes;
  const auto note = [&codes](const Result<StoreVerdict>& done) {
    codes.push_back(done ? Code::kOk : done.error().code);
  };
  store.hold_engine();
  store.door->apply({{What::kPut, "a", "1"}}, note);
  store.door->apply({{What::kPut, "b", std::string(8 << 20, 'x')}}, note);
  store.door->apply({{What::kPut, "c", "3"}}, note);
  store.home.let_go();
  store.home.run_until([&] { return codes.size() == 3; });
  CHECK(codes == std::vector{Code::kOk, Code::kStoreFull, Code::kOk});
  CHECK(store.value("a") == "1");
  CHECK_FALSE(*store.get("b"));
  CHECK(store.value("c") == "3");
}

TEST_CASE("calls beyond the bound are refused at once, and those before them are made") {
  Disk disk;
  auto engine = disk.must_open({.calls_max = 10});
  Patient store(*engine);
  size_t made = 0;
  size_t busy = 0;
  store.hold_engine();
  for (int i = 0; i < 12; ++i) {
    store.door->apply({{What::kPut, "k" + std::to_string(i), "v"}}, [&](const auto& done) { ++(done ? made : busy); });
  }
  CHECK(busy == 2);
  CHECK(engine->counters().refused == 2);
  store.home.let_go();
  store.home.run_until([&] { return made == 10; });
}

TEST_CASE("a full mailbox delays answers and loses none") {
  Disk disk;
  auto engine = disk.must_open();
  Patient store(*engine);
  store.home.refuse(3);
  CHECK(store.put("a", "1")->applied);
  CHECK(store.home.posts() == 4);
}

TEST_CASE("a door that is gone is not answered") {
  Disk disk;
  auto engine = disk.must_open();
  Patient store(*engine);
  bool heard = false;
  store.hold_engine();
  {
    Patient other(*engine);
    other.door->get("x", [&](auto) { heard = true; });
  }
  store.home.let_go();
  store.put("a", "1");
  CHECK_FALSE(heard);
}

TEST_CASE("what has expired leaves the file") {
  Disk disk;
  auto engine = disk.must_open({.sweep_interval = 1ms});
  Patient store(*engine);
  for (int i = 0; i < 600; ++i)
    store.door->apply({{What::kPut, "k" + std::to_string(i), std::string(4000, 'x'), 1s}}, [](auto) {});
  store.put("last", "x");
  const uint64_t before = engine->counters().bytes;
  CHECK(before > 2'000'000);
  disk.clock.advance(2s);
  for (int i = 0; i < 10'000 && engine->counters().bytes > 100'000; ++i) store.get("last");
  CHECK(engine->counters().bytes < 100'000);
}

TEST_CASE("a store that another has open is refused by name") {
  Disk disk;
  auto engine = disk.must_open();
  const auto second = disk.open();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Code::kStoreLocked);
  CHECK(names(second.error(), disk.file));
  engine.reset();
  CHECK(disk.open());
}

TEST_CASE("a file of a newer format is refused by name, and not touched") {
  Disk disk;
  disk.must_open();
  std::string bytes = disk.bytes();
  bytes[63] = 9;  // the last byte of user_version, in the header of an SQLite file
  disk.overwrite(bytes);
  const auto opened = disk.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::kStoreFormat);
  CHECK(names(opened.error(), disk.file));
  CHECK(disk.bytes() == bytes);
}

TEST_CASE("a file that is no store, or a damaged one, is refused by name") {
  Disk disk;
  {
    auto engine = disk.must_open();
    Patient store(*engine);
    for (int i = 0; i < 1000; ++i)
      store.door->apply({{What::kPut, "k" + std::to_string(i), std::string(100, 'x')}}, [](auto) {});
    store.put("last", "x");
  }
  std::string bytes = disk.bytes();
  SECTION("text") { bytes = std::string(10'000, 't'); }
  SECTION("cut off") { bytes.resize(bytes.size() / 2); }
  SECTION("pages of zeros") { std::fill(bytes.begin() + 4096, bytes.end(), '\0'); }
  disk.overwrite(bytes);
  const auto opened = disk.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::kStoreDamaged);
  CHECK(names(opened.error(), disk.file));
}

TEST_CASE("a value that rotted on disk is an error, not an answer") {
  Disk disk;
  {
    auto engine = disk.must_open();
    Patient store(*engine);
    store.put("good", "untouched");
    store.put("key", "0123456789abcdef");
  }
  std::string bytes = disk.bytes();
  bytes[bytes.rfind("0123456789abcdef") + 3] = 'X';
  disk.overwrite(bytes);
  auto engine = disk.must_open();
  Patient store(*engine);
  const auto read = store.get("key");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Code::kStoreDamaged);
  CHECK(names(read.error(), disk.file));
  CHECK(store.value("good") == "untouched");
}

TEST_CASE("a disk that takes no more is an error by name; what was written stays, and later it goes on") {
  Disk disk;
  auto engine = disk.must_open();
  Patient store(*engine);
  store.put("before", "kept");
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{200'000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = store.put("large", std::string(1 << 20, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &old);
  REQUIRE_FALSE(refused);
  CHECK((refused.error().code == Code::kStoreFailed || refused.error().code == Code::kStoreFull));
  CHECK(names(refused.error(), disk.file));
  CHECK(store.value("before") == "kept");
  CHECK_FALSE(*store.get("large"));
  CHECK(store.put("large", std::string(1 << 20, 'x')));
}

TEST_CASE("a folder that is not there is an error by name") {
  Disk disk;
  disk.file = disk.folder.path() / "missing" / "store.db";
  const auto opened = disk.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::kStoreFailed);
  CHECK(names(opened.error(), disk.file));
}

namespace {

/// Writes pairs and a log, many at a time, until it is killed; each number that is durable goes into the pipe.
[[noreturn]] void write_until_killed(Disk& disk, int pipe) {
  auto engine = disk.must_open();
  Patient store(*engine);
  uint32_t begun = 0;
  const std::function<void()> begin = [&] {
    const uint32_t number = begun++;
    const std::string name = std::to_string(number);
    store.door->apply({{What::kPut, "a/" + name, name}, {What::kAppend, "log", "."}, {What::kPut, "b/" + name, name}},
                      [&, number](const Result<StoreVerdict>& done) {
                        if (!done || ::write(pipe, &number, sizeof number) != sizeof number) ::_exit(1);
                        begin();
                      });
  };
  for (int i = 0; i < 32; ++i) begin();
  store.home.run_until([] { return false; });
  ::_exit(1);
}

/// The numbers whose writes were acknowledged before the writer was killed.
std::vector<uint32_t> kill_a_writer(Disk& disk, size_t after) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(disk, ends[1]);
  }
  ::close(ends[1]);
  std::vector<uint32_t> acknowledged;
  uint32_t number = 0;
  while (::read(ends[0], &number, sizeof number) == sizeof number) {
    acknowledged.push_back(number);
    if (acknowledged.size() == after) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  return acknowledged;
}

}  // namespace

TEST_CASE("after kill -9 of a writer everything acknowledged is there, and nothing half written") {
  Prng prng(20'261);
  for (int round = 0; round < 12; ++round) {
    Disk disk;
    const std::vector<uint32_t> acknowledged = kill_a_writer(disk, 1 + prng.below(400));
    auto engine = disk.must_open();
    Patient store(*engine);
    for (const uint32_t number : acknowledged)
      REQUIRE(store.value("a/" + std::to_string(number)) == std::to_string(number));
    size_t pairs = 0;
    for (std::string after;;) {
      const auto part = store.scan("a/", after, 1000);
      REQUIRE(part);
      for (const StoreEntry& entry : *part) REQUIRE(store.value("b/" + entry.key.substr(2)) == entry.value);
      pairs += part->size();
      if (part->size() < 1000) break;
      after = part->back().key;
    }
    CHECK(pairs >= acknowledged.size());
    CHECK(store.value("log").size() == pairs);
  }
}

#include "io/log_sink.h"

#include <algorithm>
#include <thread>

#include "io/system_clock.h"
#include "temporary_folder.h"

using namespace godwit;
using namespace godwit::io;

namespace {

struct Moment final : Clock {
  Timestamp now() const override { return from_ns(1'000'000'000); }
  int64_t unix_us() const override { return 1'738'324'800'123'456; }
};

size_t lines_in(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("records of the level and above reach the file, others do not") {
  const TemporaryFolder folder;
  const Moment clock;
  const auto sink = SystemLogSink::open({.file = folder / "log.txt", .level = LogLevel::kWarn}, clock).value();
  const Log log(*sink, "quic");
  REQUIRE_FALSE(log.enabled(LogLevel::kInfo));
  log.info("not this");
  log.warn("but this", {{"n", 1}});
  sink->flush();
  REQUIRE(read_file(folder / "log.txt") == "2025-01-31T12:00:00.123456Z warn  quic: but this n=1\n");
  REQUIRE(sink->count(LogLevel::kWarn) == 1);
  REQUIRE(sink->count(LogLevel::kInfo) == 0);
}

TEST_CASE("levels change while the program runs, for all modules or for some") {
  const TemporaryFolder folder;
  const Moment clock;
  const auto sink =
      SystemLogSink::open({.file = folder / "log.txt", .modules = {{"quic", LogLevel::kError}}}, clock).value();
  REQUIRE(sink->level("quic") == LogLevel::kError);
  REQUIRE(sink->level("session") == LogLevel::kInfo);

  REQUIRE(sink->set_levels(LogLevel::kDebug, {{"session", LogLevel::kOff}}));
  REQUIRE(sink->level("quic") == LogLevel::kDebug);
  REQUIRE(sink->level("session") == LogLevel::kOff);

  REQUIRE(sink->set_levels(LogLevel::kInfo, {}));
  REQUIRE(sink->level("session") == LogLevel::kInfo);
  REQUIRE_FALSE(sink->set_levels(LogLevel::kInfo, {{std::string(32, 'x'), LogLevel::kOff}}));
}

TEST_CASE("repeats beyond the limit are counted and summed up at the end") {
  const TemporaryFolder folder;
  const Moment clock;
  {
    const auto sink = SystemLogSink::open({.file = folder / "log.txt", .repeats_per_second = 3}, clock).value();
    for (int i = 0; i < 100; ++i) Log(*sink, "quic").warn("flood");
    sink->flush();
    REQUIRE(lines_in(read_file(folder / "log.txt")) == 3);
    REQUIRE(sink->count(LogLevel::kWarn) == 100);
  }
  const std::string text = read_file(folder / "log.txt");
  REQUIRE(lines_in(text) == 4);
  REQUIRE(text.ends_with("warn  quic: suppressed repeats of a message message=flood suppressed=97\n"));
}

TEST_CASE("a file that is full is rotated, and only so many old ones are kept") {
  const TemporaryFolder folder;
  const SystemClock clock;
  {
    const auto sink =
        SystemLogSink::open({.file = folder / "log.txt", .file_bytes_max = 2000, .files_max = 2}, clock).value();
    for (int i = 0; i < 100; ++i) Log(*sink, "app").info("line " + std::to_string(i));
  }
  REQUIRE(read_file(folder / "log.txt").find("line 99") != std::string::npos);
  REQUIRE(std::filesystem::exists(folder / "log.1.txt"));
  REQUIRE(std::filesystem::exists(folder / "log.2.txt"));
  REQUIRE_FALSE(std::filesystem::exists(folder / "log.3.txt"));
  REQUIRE(std::filesystem::file_size(folder / "log.1.txt") <= 2000);
}

TEST_CASE("a file that can not be opened is refused by name") {
  const SystemClock clock;
  const auto sink = SystemLogSink::open({.file = "/proc/nowhere/log.txt"}, clock);
  REQUIRE_FALSE(sink);
  REQUIRE(sink.error().code == Code::kFileUnreadable);
  REQUIRE(sink.error().text.find("/proc/nowhere/log.txt") != std::string::npos);
}

TEST_CASE("all threads may log at once and every line stays whole") {
  const TemporaryFolder folder;
  const SystemClock clock;
  {
    const auto sink = SystemLogSink::open(
        {.file = folder / "log.txt", .repeats_per_second = 1'000'000, .queue_lines_max = 10'000}, clock);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 500; ++k) Log(**sink, "app").info("a line of a thread");
      });
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE((*sink)->dropped() == 0);
  }
  std::ifstream file(folder / "log.txt");
  size_t whole = 0;
  for (std::string line; std::getline(file, line);) whole += line.ends_with("Z info  app: a line of a thread");
  REQUIRE(whole == 2000);
}

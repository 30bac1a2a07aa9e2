// How many durable writes a disk takes: `store_commits FOLDER [SECONDS]` prints a line of JSON for one writer and for
// 256 writers at one time, each of which writes 128 bytes to a key of its own and waits for the answer before the next.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "../unit/store/store_world.h"
#include "store/durable_engine.h"

namespace {

using namespace godwit;
using SteadyTime = std::chrono::steady_clock;

struct Clocks final : Clock {
  Timestamp now() const override {
    return Timestamp(std::chrono::duration_cast<Duration>(SteadyTime::now().time_since_epoch()));
  }
  int64_t unix_us() const override {
    return std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1);
  }
};

struct Load {
  store::DurableEngine& engine;
  const SteadyTime::time_point end;
  testing::TestMailbox home{};
  std::unique_ptr<Store> door = engine.open_door(home);
  std::vector<double> waits_us{};
  size_t running = 0;
  bool failed = false;

  void write(size_t writer) {
    const auto began = SteadyTime::now();
    door->apply({{StoreStep::What::kPut, "writer/" + std::to_string(writer), std::string(128, 'x')}},
                [this, writer, began](const Result<StoreVerdict>& done) {
                  const auto now = SteadyTime::now();
                  failed |= !done;
                  waits_us.push_back(std::chrono::duration<double, std::micro>(now - began).count());
                  if (now < end && !failed) return write(writer);
                  --running;
                });
  }
};

bool measure(const std::filesystem::path& folder, size_t writers, std::chrono::duration<double> seconds) {
  const auto file = folder / "store-bench.db";
  for (const char* suffix : {"", "-wal", ".lock"}) std::filesystem::remove(file.string() + suffix);
  testing::QuietLog quiet;
  Clocks clock;
  auto engine = store::DurableEngine::open({.file = file}, clock, Log(quiet, "bench"));
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().to_string().c_str()), false;
  const uint64_t commits_before = (*engine)->counters().commits;
  Load load{**engine, SteadyTime::now() + std::chrono::duration_cast<SteadyTime::duration>(seconds)};
  for (; load.running < writers; ++load.running) load.write(load.running);
  load.home.run_until([&] { return load.running == 0; });
  std::sort(load.waits_us.begin(), load.waits_us.end());
  const auto quantile = [&](double q) {
    return load.waits_us[static_cast<size_t>(q * static_cast<double>(load.waits_us.size() - 1))];
  };
  std::printf(
      "{\"writers\": %zu, \"commits_per_s\": %.0f, \"writes_per_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
      writers, static_cast<double>((*engine)->counters().commits - commits_before) / seconds.count(),
      static_cast<double>(load.waits_us.size()) / seconds.count(), quantile(0.5), quantile(0.99));
  load.door.reset();
  engine->reset();
  for (const char* suffix : {"", "-wal", ".lock"}) std::filesystem::remove(file.string() + suffix);
  return !load.failed;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: store_commits FOLDER [SECONDS]\n"), 2;
  const std::chrono::duration<double> seconds(count > 2 ? std::atof(arguments[2]) : 3);
  return measure(arguments[1], 1, seconds) && measure(arguments[1], 256, seconds) ? 0 : 1;
}

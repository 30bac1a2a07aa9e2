#pragma once

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "../host/script_world.h"
#include "base/metric_store.h"
#include "host/plugin_unit.h"
#include "port/mailbox.h"
#include "port/work_pool.h"

namespace godwit::host::test {

/// Where the build has put plugins.
inline std::filesystem::path built(const std::string& name) { return std::filesystem::path(BUILT_PLUGINS) / name; }
inline std::filesystem::path shipped(const std::string& name) {
  return std::filesystem::path(SHIPPED_PLUGINS) / (name + ".so");
}

/// A folder of its own, as safe as a plugin's must be; gone at the end of the scope.
class SafeFolder {
 public:
  SafeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-plugin-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = std::filesystem::canonical(name);
  }
  ~SafeFolder() { std::filesystem::remove_all(path); }

  std::filesystem::path write(const std::string& name, std::string_view bytes) {
    const auto file = path / name;
    std::ofstream(file, std::ios::binary) << bytes;
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
    return file;
  }

  std::filesystem::path path;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Counts how often the worker is woken.
class CountedMailbox : public Mailbox {
 public:
  bool post(std::function<void()>) override { return ++posts, true; }
  std::atomic<int> posts{0};
};

/// Runs work when the test says so.
class HeldPool : public WorkPool {
 public:
  bool run(std::function<void()> work) override {
    if (full) return false;
    works.push_back(std::move(work));
    return true;
  }
  void run_all() {
    for (auto& work : std::exchange(works, {})) work();
  }
  std::vector<std::function<void()>> works;
  bool full = false;
};

/// A plugin from its file, in a real host, and messages for it.
class PluginWorld {
 public:
  Result<std::unique_ptr<App>> try_load(const std::filesystem::path& path, uint32_t generation = 1) {
    return read_plugin(path, host_abi())
        .and_then([&](PluginFile file) { return make_plugin_unit(std::move(file), settings, images); })
        .and_then([&](UnitSourcePtr unit) { return unit->build(generation, limits, world()); });
  }
  void load(const std::filesystem::path& path, uint32_t generation = 1) {
    auto loaded = try_load(path, generation);
    INFO((loaded ? std::string() : loaded.error().to_string()));
    REQUIRE(loaded);
    app = std::move(*loaded);
    app->start();
  }
  Error load_error(const std::filesystem::path& path) {
    auto loaded = try_load(path);
    REQUIRE_FALSE(loaded);
    return loaded.error();
  }
  AppWorld world() {
    return {.clock = clock,
            .timers = timers,
            .log = Log(log, "host"),
            .watchdog = nullptr,
            .worker_index = 3,
            .mailbox = &mailbox,
            .pool = &pool,
            .metrics = &metrics};
  }
  /// Time passes: timers fire, and what is ready runs.
  void advance(Duration by) {
    clock.advance(by);
    timers.run(clock.now());
    app->run_ready(sink);
  }

  Delivery message(std::string_view action, std::string_view body = {}, wire::Kind kind = wire::Kind::kCommand) {
    const uint64_t id = ++last_id_;
    return {{id}, 0, kind, {}, id, action, {}, as_bytes(body), &session, kNever};
  }
  /// The one verdict on a message: what was replied, "Code: text", or "done".
  std::string answer(const Delivery& delivery) {
    sink.verdicts.clear();
    app->handle({&delivery, 1}, sink);
    REQUIRE(sink.verdicts.size() == 1);
    const KeptVerdicts::Verdict& verdict = sink.verdicts[0];
    switch (verdict.what) {
      case KeptVerdicts::Verdict::What::kFailure: return name_of(verdict.code) + ": " + verdict.text;
      case KeptVerdicts::Verdict::What::kDone: return "done";
      case KeptVerdicts::Verdict::What::kReply: break;
    }
    return verdict.text;
  }
  std::string answer(std::string_view action, std::string_view body = {}) { return answer(message(action, body)); }

  AppLimits limits;
  PluginSettings settings;
  std::shared_ptr<PluginImages> images = std::make_shared<PluginImages>();
  SetClock clock;
  TimerHeap timers;
  CountedMailbox mailbox;
  HeldPool pool;
  MetricStore metrics{4};
  KeptLog log;
  SessionView session{7, "device-7", "ada", "127.0.0.1:4242"};
  KeptVerdicts sink;
  std::unique_ptr<App> app;

 private:
  uint64_t last_id_ = 100;
};

}  // namespace godwit::host::test

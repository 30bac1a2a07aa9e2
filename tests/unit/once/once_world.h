#pragma once

#include "../store/store_world.h"
#include "app/worker_once.h"
#include "store/memory_engine.h"
#include "virtual_time.h"

namespace godwit::testing {

/// What was heard of one key; the run is kept until the test lets go of it.
struct Heard {
  size_t times = 0;
  Code error = Code::kOk;
  std::shared_ptr<host::OnceRun> run;
  host::OnceOutcome outcome;
};

/// A process with some workers, on a store that outlives it.
class OnceProcess {
 public:
  OnceProcess(store::MemoryEngine& engine, VirtualTime& time, const app::OnceLimits& limits, size_t workers)
      : book(limits) {
    REQUIRE(app::read_once(engine, book, time.clock.now()));
    for (size_t i = 0; i < workers; ++i) {
      stores_.push_back(engine.open_door());
      mailboxes.push_back(std::make_unique<TestMailbox>());
      this->workers.push_back(std::make_unique<app::WorkerOnce>(book, *stores_.back(), time.clock, time.timers,
                                                                mailboxes.back().get(), Log(quiet_, "once")));
    }
  }

  QuietLog quiet_;
  app::OnceBook book;
  std::vector<std::unique_ptr<Store>> stores_;
  std::vector<std::unique_ptr<TestMailbox>> mailboxes;
  std::vector<std::unique_ptr<app::WorkerOnce>> workers;
};

struct OnceWorld {
  explicit OnceWorld(const app::OnceLimits& wanted = {}, size_t workers = 2) : limits(wanted), workers_(workers) {
    restart();
  }

  /// As after kill -9: nothing of the process before is told anything.
  void restart() {
    // Rights to execute of the old process find it gone.
    process.reset();
    process = std::make_unique<OnceProcess>(engine, time, limits, workers_);
  }
  std::shared_ptr<Heard> begin(std::string_view key, host::OnceOptions options = {.wait = 10s}, size_t worker = 0) {
    auto heard = std::make_shared<Heard>();
    process->workers[worker]->begin("test", key, options, [heard](Result<host::Once::Begun> begun) {
      ++heard->times;
      if (!begun) return void(heard->error = begun.error().code);
      heard->run = std::move(begun->run);
      heard->outcome = std::move(begun->outcome);
    });
    return heard;
  }
  static void finish(const std::shared_ptr<Heard>& heard, host::OnceOutcome outcome) {
    std::exchange(heard->run, nullptr)->finish(std::move(outcome), [heard] { ++heard->times; });
  }
  void deliver(size_t worker, const std::shared_ptr<Heard>& until) {
    process->mailboxes[worker]->run_until([&] { return until->times > 0; });
  }

  const app::OnceLimits limits;
  const size_t workers_;
  VirtualTime time;
  store::MemoryEngine engine{time.clock, 16 << 20};
  std::unique_ptr<OnceProcess> process;
};

}  // namespace godwit::testing

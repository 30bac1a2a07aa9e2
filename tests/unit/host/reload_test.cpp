#include "host/reload.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::host;
using What = ReloadOutcome::What;

namespace {

class KeptOrders : public ReloadWorkers {
 public:
  void prepare(uint32_t worker, const ReloadPlan& plan) override {
    last = plan;
    orders.push_back("prepare " + std::to_string(worker) + " " + plan.source->name() + "@" +
                     std::to_string(plan.generation));
  }
  void commit(uint32_t worker, uint64_t) override { orders.push_back("commit " + std::to_string(worker)); }
  void abort(uint32_t worker, uint64_t) override { orders.push_back("abort " + std::to_string(worker)); }

  std::vector<std::string> take() { return std::exchange(orders, {}); }

  ReloadPlan last;
  std::vector<std::string> orders;
};

using Orders = std::vector<std::string>;

struct ReloadWorld {
  KeptOrders workers;
  Reloads reloads{2, workers, 6s};
  Timestamp now = from_ns(1'000'000'000);
  std::vector<ReloadOutcome> outcomes;

  void request(const std::string& app, uint64_t hash) {
    AppSource source;
    source.name = app;
    source.hash = hash;
    reloads.request(app, make_unit(std::move(source)), now,
                    [this](const ReloadOutcome& outcome) { outcomes.push_back(outcome); });
  }
  void prepared(uint32_t worker, std::vector<Registration> manifest = {{"echo", "main.lua:1"}}) {
    reloads.on_prepared(worker, workers.last.id, std::move(manifest), now);
  }
  void failed(uint32_t worker, const char* text) {
    reloads.on_prepared(worker, workers.last.id, fail(Code::kScriptLoadFailed, text), now);
  }
  void committed(uint32_t worker) { reloads.on_committed(worker, workers.last.id, now); }
  void make_live(const std::string& app, uint64_t hash) {
    request(app, hash);
    for (const uint32_t worker : {0, 1}) prepared(worker);
    for (const uint32_t worker : {0, 1}) committed(worker);
    REQUIRE(outcomes.back().what == What::kLive);
    workers.take();
    outcomes.clear();
  }
};

}  // namespace

TEST_CASE("a new version is live when all workers have taken it over, not before") {
  ReloadWorld world;
  world.request("chat", 1);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@1", "prepare 1 chat@1"});
  world.prepared(1);
  CHECK(world.workers.take().empty());
  world.prepared(0);
  CHECK(world.workers.take() == Orders{"commit 0", "commit 1"});
  world.committed(0);
  CHECK(world.outcomes.empty());
  CHECK(world.reloads.generation("chat") == 0);
  world.committed(1);
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kLive);
  CHECK(world.outcomes[0].generation == 1);
  CHECK_FALSE(world.reloads.busy());
}

TEST_CASE("one worker that cannot build keeps the old version on all") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  world.prepared(0);
  world.failed(1, "chat/main.lua:3: no luck");
  CHECK(world.workers.take() == Orders{"prepare 0 chat@2", "prepare 1 chat@2", "abort 0", "abort 1"});
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kRefused);
  CHECK(world.outcomes[0].error.text == "chat/main.lua:3: no luck");
  CHECK(world.outcomes[0].generation == 1);
}

TEST_CASE("a failed attempt's number is not used again") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  world.failed(0, "x");
  world.workers.take();
  world.request("chat", 3);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@3", "prepare 1 chat@3"});
}

TEST_CASE("unchanged contents are recognised, also after an attempt with others failed") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 1);
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kUnchanged);
  CHECK(world.outcomes[0].generation == 1);
  world.request("chat", 2);
  world.failed(0, "x");
  world.workers.take();
  world.request("chat", 1);
  CHECK(world.outcomes.back().what == What::kUnchanged);
  CHECK(world.workers.take().empty());
}

TEST_CASE("workers that bind different patterns are told apart") {
  ReloadWorld world;
  world.request("dice", 1);
  world.prepared(0, {{"a", "main.lua:1"}});
  world.prepared(1, {{"b", "main.lua:1"}});
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kRefused);
  CHECK(world.outcomes[0].error.text.starts_with("dice: binds other patterns on worker 1 than on worker 0"));
}

TEST_CASE("an app that cannot be read changes nothing") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.reloads.request("chat", fail(Code::kScriptLoadFailed, "chat/main.lua: is empty"), world.now,
                        [&](const ReloadOutcome& outcome) { world.outcomes.push_back(outcome); });
  CHECK(world.outcomes.at(0).what == What::kRefused);
  CHECK(world.outcomes.at(0).error.text == "chat/main.lua: is empty");
  CHECK(world.workers.take().empty());
}

TEST_CASE("reloads follow one another; those that wait for one app are joined and get the newest contents") {
  ReloadWorld world;
  world.request("chat", 1);
  world.request("chat", 2);
  world.request("echo", 5);
  world.request("chat", 3);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@1", "prepare 1 chat@1"});
  for (const uint32_t worker : {0, 1}) world.prepared(worker);
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  CHECK(world.outcomes.size() == 1);
  CHECK(world.workers.last.source->hash() == 3);
  for (const uint32_t worker : {0, 1}) world.prepared(worker);
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  REQUIRE(world.outcomes.size() == 3);
  CHECK(world.outcomes[1].unit == "chat");
  CHECK(world.outcomes[2].generation == 2);
  CHECK(world.workers.last.source->name() == "echo");
}

TEST_CASE("a worker that does not answer fails the attempt at its deadline") {
  ReloadWorld world;
  CHECK(world.reloads.deadline() == kNever);
  world.request("chat", 1);
  world.prepared(0);
  REQUIRE(world.reloads.deadline() == world.now + 6s);
  world.reloads.expire(world.now + 6s - 1ns);
  CHECK(world.outcomes.empty());
  world.reloads.expire(world.now + 6s);
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].error.text == "chat: worker 1 did not build it in time");
  CHECK(world.reloads.deadline() == kNever);

  world.workers.take();
  world.prepared(1);
  CHECK(world.workers.take().empty());
}

TEST_CASE("answers to an earlier attempt, and second answers, count for nothing") {
  ReloadWorld world;
  world.request("chat", 1);
  const uint64_t first = world.workers.last.id;
  world.failed(0, "x");
  world.request("chat", 2);
  world.workers.take();
  world.reloads.on_prepared(0, first, std::vector<Registration>{}, world.now);
  world.reloads.on_prepared(1, first, std::vector<Registration>{}, world.now);
  world.prepared(0);
  world.prepared(0);
  CHECK(world.workers.take().empty());
  world.prepared(1);
  CHECK(world.workers.take() == Orders{"commit 0", "commit 1"});
}

TEST_CASE("workers may answer at once") {
  struct Eager : ReloadWorkers {
    Reloads* reloads = nullptr;
    int prepared = 0;
    bool good = true;
    void prepare(uint32_t worker, const ReloadPlan& plan) override {
      ++prepared;
      if (good) return reloads->on_prepared(worker, plan.id, std::vector<Registration>{}, {});
      reloads->on_prepared(worker, plan.id, fail(Code::kScriptLoadFailed, "x"), {});
    }
    void commit(uint32_t worker, uint64_t plan) override { reloads->on_committed(worker, plan, {}); }
    void abort(uint32_t, uint64_t) override {}
  } eager;
  Reloads reloads(3, eager, 6s);
  eager.reloads = &reloads;
  std::vector<What> outcomes;
  const auto request = [&](uint64_t hash) {
    AppSource source;
    source.name = "chat";
    source.hash = hash;
    reloads.request("chat", make_unit(std::move(source)), {},
                    [&](const ReloadOutcome& o) { outcomes.push_back(o.what); });
  };
  request(1);
  CHECK(outcomes == std::vector{What::kLive});
  eager.good = false;
  eager.prepared = 0;
  request(2);
  CHECK(outcomes.back() == What::kRefused);
  CHECK(eager.prepared == 1);
  CHECK_FALSE(reloads.busy());
}

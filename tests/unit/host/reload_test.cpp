#include "reload_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

TEST_CASE("a new version is live when all workers have taken it over, not before") {
  ReloadWorld world;
  world.request("chat", 1);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@1", "prepare 1 chat@1"});
  world.prepared(1);
  CHECK(world.workers.take().empty());
  world.prepared(0);
  CHECK(world.workers.take() == Orders{"commit 0 chat@1", "commit 1 chat@1"});
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
  CHECK(world.outcomes.empty());
  world.failed(1, "chat/main.lua:3: no luck");
  CHECK(world.workers.take() == Orders{"prepare 0 chat@2", "prepare 1 chat@2", "abort 0 chat@2", "abort 1 chat@2"});
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kRefused);
  CHECK(world.outcomes[0].error.text == "chat/main.lua:3: no luck");
  CHECK(world.outcomes[0].generation == 1);
  CHECK(world.outcomes[0].tried == 2);
  REQUIRE(world.outcomes[0].workers.size() == 2);
  CHECK(world.outcomes[0].workers[0].has_value());
  CHECK(world.outcomes[0].workers[1].error().text == "chat/main.lua:3: no luck");
}

TEST_CASE("a failed attempt's number is not used again") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  world.all_failed("x");
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
  world.all_failed("x");
  world.workers.take();
  world.request("chat", 1);
  CHECK(world.outcomes.back().what == What::kUnchanged);
  CHECK(world.workers.take().empty());
}

TEST_CASE("workers that bind different patterns are told apart") {
  ReloadWorld world;
  world.request("dice", 1);
  world.prepared(0, {{{"a", "main.lua:1"}}});
  world.prepared(1, {{{"b", "main.lua:1"}}});
  REQUIRE(world.outcomes.size() == 1);
  CHECK(world.outcomes[0].what == What::kRefused);
  CHECK(world.outcomes[0].error.text.starts_with("dice: binds other patterns on worker 1 than on worker 0"));
}

TEST_CASE("an app that cannot be read changes nothing") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.reloads.load("chat", fail(Code::kScriptLoadFailed, "chat/main.lua: is empty"), Reloads::Trigger::kFilesChanged,
                     world.now, world.keep());
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
  world.go_live();
  CHECK(world.outcomes.size() == 1);
  CHECK(world.workers.last.source->hash() == 3);
  world.go_live();
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
  world.all_failed("x");
  world.request("chat", 2);
  world.workers.take();
  world.reloads.on_prepared(0, first, Manifest{}, world.now);
  world.reloads.on_prepared(1, first, Manifest{}, world.now);
  world.prepared(0);
  world.prepared(0);
  CHECK(world.workers.take().empty());
  world.prepared(1);
  CHECK(world.workers.take() == Orders{"commit 0 chat@2", "commit 1 chat@2"});
}

TEST_CASE("workers may answer at once") {
  struct Eager : ReloadWorkers {
    Reloads* reloads = nullptr;
    bool good = true;
    void prepare(uint32_t worker, const ReloadPlan& plan) override {
      if (good) return reloads->on_prepared(worker, plan.id, Manifest{{}, true}, {});
      reloads->on_prepared(worker, plan.id, fail(Code::kScriptLoadFailed, "x"), {});
    }
    void migrate(uint32_t worker, const ReloadPlan& plan) override { reloads->on_migrated(worker, plan.id, {}, {}); }
    void commit(uint32_t worker, const ReloadPlan& plan) override { reloads->on_committed(worker, plan.id, {}, {}); }
    void abort(uint32_t, const ReloadPlan&) override {}
    void settle(uint32_t, const std::string&) override {}
  } eager;
  std::vector<What> outcomes;
  Reloads reloads(3, eager, {}, [&](const ReloadOutcome& outcome) { outcomes.push_back(outcome.what); });
  eager.reloads = &reloads;
  const auto load = [&](uint64_t hash) {
    reloads.load("chat", ReloadWorld::source("chat", hash), Reloads::Trigger::kCommand, {});
  };
  load(1);
  CHECK(outcomes == std::vector{What::kLive});
  eager.good = false;
  load(2);
  CHECK(outcomes.back() == What::kRefused);
  CHECK_FALSE(reloads.busy());
  reloads.stop("chat", Reloads::Stop::kRemove, {});
  CHECK(outcomes.back() == What::kStopped);
  CHECK(reloads.generation("chat") == 0);
}

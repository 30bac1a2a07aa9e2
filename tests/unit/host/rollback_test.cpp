#include "reload_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

using Trigger = Reloads::Trigger;
using Stop = Reloads::Stop;

namespace {

const Manifest kWithState{{{"echo", "main.lua:1"}}, true};

}  // namespace

TEST_CASE("a generation proves itself by time, and only then the one before is let go") {
  ReloadWorld world;
  world.make_live("chat", 1);
  CHECK(world.reloads.deadline() == kNever);
  world.make_live("chat", 2);
  CHECK(world.workers.last.replaced == ReloadPlan::Replaced::kKeptReady);
  REQUIRE(world.reloads.deadline() == world.now + 30s);
  world.reloads.expire(world.now + 30s - 1ns);
  CHECK(world.workers.take().empty());
  world.reloads.expire(world.now + 30s);
  CHECK(world.workers.take() == Orders{"settle 0 chat", "settle 1 chat"});
  CHECK(world.reloads.deadline() == kNever);
}

TEST_CASE("too many errors on probation bring the version before back by themselves") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2, {0, 5'000, 50, 0});  // of each worker: 1 % failed
  world.stats(0, 2, 100, 10);
  world.stats(1, 2, 100, 9);
  CHECK(world.workers.take().empty());
  world.stats(1, 2, 300, 10);  // 20 of 400: 5 %
  CHECK(world.workers.take() == Orders{"commit 0 chat@1", "commit 1 chat@1"});
  CHECK(world.workers.last.change == ReloadPlan::Change::kRollback);
  world.stats(1, 2, 400, 40);
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  REQUIRE(world.observed.back().what == What::kRolledBack);
  CHECK(world.observed.back().error.text == "chat@2: 20 of 400 messages failed; before, 100 of 10000 did");
  CHECK(world.reloads.generation("chat") == 1);
  CHECK(world.reloads.deadline() == kNever);
  CHECK(world.workers.take().empty());
}

TEST_CASE("errors that are as frequent as before, or rare, bring nothing back") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2, {0, 500, 50, 0});
  world.stats(0, 2, 1'000, 400);
  CHECK(world.workers.take().empty());
  world.stats(0, 2, 1'000, 500);
  CHECK_FALSE(world.workers.take().empty());

  ReloadWorld calm;
  calm.make_live("chat", 1);
  calm.make_live("chat", 2, {0, 500, 0, 0});
  calm.stats(0, 2, 1'000'000, 49'999);
  CHECK(calm.workers.take().empty());
  calm.stats(0, 2, 1'000'000, 50'000);
  CHECK_FALSE(calm.workers.take().empty());
}

TEST_CASE("timeouts bring the version before back, however few they are among all messages") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2, {0, 1'000'000, 0, 0});
  world.stats(0, 2, 100'000, 9, 9);
  CHECK(world.workers.take().empty());
  world.stats(0, 2, 100'000, 10, 10);
  CHECK(world.workers.take() == Orders{"commit 0 chat@1", "commit 1 chat@1"});
}

TEST_CASE("stats of another generation, or after probation, count for nothing") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2);
  world.stats(0, 1, 100, 100);
  world.reloads.expire(world.now + 30s);
  world.workers.take();
  world.stats(0, 2, 100, 100);
  CHECK(world.workers.take().empty());
}

TEST_CASE("what was rolled back is not tried again by itself, but by name") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2);
  world.reloads.rollback("chat", world.now, world.keep());
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  CHECK(world.outcomes.back().what == What::kRolledBack);
  CHECK(world.outcomes.back().error.code == Code::kOk);
  world.workers.take();
  world.request("chat", 2, Trigger::kFilesChanged);
  CHECK(world.outcomes.back().what == What::kHeldBack);
  CHECK(world.workers.take().empty());
  world.request("chat", 2, Trigger::kCommand);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@3", "prepare 1 chat@3"});
}

TEST_CASE("after probation a rollback builds the version before again, once") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2);
  world.reloads.expire(world.now + 30s);
  world.workers.take();
  world.reloads.rollback("chat", world.now, world.keep());
  CHECK(world.workers.take() == Orders{"prepare 0 chat@3", "prepare 1 chat@3"});
  CHECK(world.workers.last.source->hash() == 1);
  world.go_live();
  CHECK(world.outcomes.back().what == What::kRolledBack);
  CHECK(world.outcomes.back().generation == 3);
  world.reloads.rollback("chat", world.now, world.keep());
  CHECK(world.outcomes.back().what == What::kRefused);
  CHECK(world.outcomes.back().error.text == "chat: there is no earlier version to go back to");
}

TEST_CASE("a version that replaces one on probation goes back to the one that was proved") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2, {0, 100, 0, 0});
  world.now += 10s;
  world.make_live("chat", 3, {0, 100, 100, 0});
  CHECK(world.reloads.deadline() == world.now + 30s);
  world.reloads.rollback("chat", world.now, world.keep());
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  CHECK(world.outcomes.back().generation == 1);
}

TEST_CASE("without probation nothing is kept ready, also when there was some before") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2);
  world.bounds.probation.duration = 0s;
  world.reloads.set_bounds(world.bounds);
  world.make_live("chat", 3);
  CHECK(world.workers.last.replaced == ReloadPlan::Replaced::kDrained);
  CHECK(world.reloads.deadline() == kNever);
  world.reloads.rollback("chat", world.now, world.keep());
  CHECK(world.workers.take() == Orders{"prepare 0 chat@4", "prepare 1 chat@4"});
  CHECK(world.workers.last.source->hash() == 1);
}

TEST_CASE("a version that replaced a bad one in time is not rolled back for it") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.make_live("chat", 2);
  world.request("chat", 3);
  world.stats(0, 2, 100, 100);
  world.go_live();
  CHECK(world.reloads.generation("chat") == 3);
  CHECK_FALSE(world.reloads.busy());
  world.stats(0, 3, 100, 100);
  CHECK(world.reloads.busy());
}

TEST_CASE("state is handed over by all workers before any of them commits") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  world.prepared(0);
  world.prepared(1, kWithState);
  world.workers.take();
  world.migrated(1);
  CHECK(world.workers.take().empty());
  world.migrated(0);
  CHECK(world.workers.take() == Orders{"commit 0 chat@2", "commit 1 chat@2"});
}

TEST_CASE("a worker that cannot hand its state over keeps the old version on all") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  for (const uint32_t worker : {0, 1}) world.prepared(worker, kWithState);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@2", "prepare 1 chat@2", "migrate 0 chat@2", "migrate 1 chat@2"});
  world.migrated(0, fail(Code::kScriptLoadFailed, "chat/main.lua:7: no state"));
  CHECK(world.workers.take() == Orders{"abort 0 chat@2", "abort 1 chat@2"});
  CHECK(world.outcomes.back().error.text == "chat/main.lua:7: no state");
  CHECK(world.reloads.generation("chat") == 1);
}

TEST_CASE("a version that does not come to rest in time is busy, and goes on") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.request("chat", 2);
  for (const uint32_t worker : {0, 1}) world.prepared(worker, kWithState);
  world.migrated(0);
  REQUIRE(world.reloads.deadline() == world.now + 500ms);
  world.reloads.expire(world.now + 500ms - 1ns);
  CHECK(world.outcomes.empty());
  world.reloads.expire(world.now + 500ms);
  CHECK(world.outcomes.back().error.text == "chat: worker 1 is busy: its handlers did not come to rest in time");
  world.workers.take();
  world.migrated(1);
  CHECK(world.workers.take().empty());
}

TEST_CASE("what is disabled stays so until it is enabled") {
  ReloadWorld world;
  world.make_live("chat", 1);
  world.reloads.stop("chat", Stop::kDisable, world.now, world.keep());
  CHECK(world.workers.take() == Orders{"commit 0 chat@0", "commit 1 chat@0"});
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  CHECK(world.outcomes.back().what == What::kStopped);
  CHECK(world.reloads.disabled("chat"));
  for (const Trigger trigger : {Trigger::kFilesChanged, Trigger::kCommand}) {
    world.request("chat", 2, trigger);
    CHECK(world.outcomes.back().what == What::kHeldBack);
  }
  world.workers.take();
  world.request("chat", 2, Trigger::kEnable);
  CHECK(world.workers.take() == Orders{"prepare 0 chat@2", "prepare 1 chat@2"});
  CHECK(world.reloads.disabled("chat"));
  world.go_live();
  CHECK_FALSE(world.reloads.disabled("chat"));
  CHECK(world.reloads.generation("chat") == 2);
}

TEST_CASE("loads are joined only as long as nothing else of their unit stands between") {
  ReloadWorld world;
  world.request("other", 9);
  world.request("chat", 1);
  world.reloads.stop("chat", Stop::kRemove, world.now, world.keep());
  world.request("chat", 2);
  world.request("chat", 3);
  world.go_live();
  world.go_live();
  CHECK(world.outcomes.back().generation == 1);
  for (const uint32_t worker : {0, 1}) world.committed(worker);
  CHECK(world.outcomes.back().what == What::kStopped);
  CHECK(world.workers.last.source->hash() == 3);
  world.go_live();
  CHECK(world.outcomes.size() == 5);
}

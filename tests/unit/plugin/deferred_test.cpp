#include <godwit/plugin.h>

#include "plugin_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

class DeferWorld : public PluginWorld {
 public:
  DeferWorld() { load(built("fixture.so")); }

  /// Hands a message over and forgets what was said so far.
  uint64_t send(std::string_view action, std::string_view body = {}) {
    sink.verdicts.clear();
    sink.batch_over = false;
    const Delivery delivery = message(action, body);
    app->handle({&delivery, 1}, sink);
    sink.batch_over = false;
    return delivery.ticket.bits;
  }
  bool replied(uint64_t ticket, std::string_view text) const {
    return sink.verdicts.size() == 1 && sink.verdicts[0].ticket == ticket && sink.verdicts[0].text == text;
  }
};

}  // namespace

TEST_CASE("a deferred message is answered later, and pins its generation until then") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.defer");
  CHECK(world.sink.verdicts.empty());
  CHECK(world.sink.suspended == std::vector<std::pair<uint64_t, bool>>{{ticket, true}});
  CHECK(world.app->pins() == 1);
  world.send("test.resolve", "at last");
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[0].ticket == ticket);
  CHECK(world.sink.verdicts[0].text == "at last");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a deferred message without a verdict fails at its deadline, or after the longest wait") {
  DeferWorld world;
  Delivery urgent = world.message("test.defer");
  urgent.deadline = world.clock.now() + 2s;
  world.app->handle({&urgent, 1}, world.sink);
  world.sink.batch_over = false;
  const uint64_t patient = world.send("test.defer");
  CHECK(world.app->pins() == 2);
  world.advance(1999ms);
  CHECK(world.sink.verdicts.empty());
  CHECK(world.timers.next() == urgent.deadline);
  world.advance(1ms);
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].ticket == urgent.ticket.bits);
  CHECK(world.sink.verdicts[0].code == Code::kDeadlineExceeded);
  world.advance(world.limits.handler_timeout);
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[1].ticket == patient);
  CHECK(world.app->pins() == 0);
}

TEST_CASE("deferred messages are bounded") {
  DeferWorld world;
  world.settings.pending_max = 2;
  world.load(built("fixture.so"), 2);
  world.send("test.defer");
  world.send("test.defer");
  world.send("test.defer");
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].code == Code::kLimitReached);
  CHECK(world.app->pins() == 2);
}

TEST_CASE("a generation that is ended tells everybody who waits for it") {
  DeferWorld world;
  world.send("test.defer");
  world.send("test.defer");
  world.app->retire();
  world.app->cancel(Code::kScriptRetired, world.sink);
  CHECK(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[0].code == Code::kScriptRetired);
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a timer fires when it is due and not before") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.later");
  CHECK(world.sink.suspended.back() == std::pair<uint64_t, bool>{ticket, false});
  world.advance(49ms);
  CHECK(world.sink.verdicts.empty());
  world.advance(1ms);
  CHECK(world.replied(ticket, "later"));
}

TEST_CASE("repeating timers go on until they are stopped, by the plugin or by the generation's end") {
  DeferWorld world;
  const auto ticks = [&] { return world.metrics.views().front().metric->samples().front().value; };
  world.send("test.tick");
  for (int i = 0; i < 5; ++i) world.advance(1us);
  CHECK(ticks() == 5);
  world.send("test.untick");
  CHECK(world.sink.verdicts.back().text == "0");
  world.send("test.untick");
  CHECK(world.sink.verdicts.back().text == std::to_string(GW_ERROR_STALE));
  world.advance(10us);
  CHECK(ticks() == 5);
  world.send("test.tick");
  world.app->retire();
  world.advance(10us);
  CHECK(ticks() == 5);
  CHECK(world.timers.next() == kNever);
}

TEST_CASE("work runs in the pool, comes back to the worker, and pins the generation meanwhile") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.work");
  CHECK(world.app->pins() == 2);  // the message, and the work
  world.advance(0s);
  CHECK(world.sink.verdicts.empty());
  world.pool.run_all();
  CHECK(world.mailbox.posts == 1);
  CHECK(world.sink.verdicts.empty());
  world.advance(0s);
  CHECK(world.replied(ticket, "worked"));
  CHECK(world.app->pins() == 0);
}

TEST_CASE("work that ends after its instance harms nobody") {
  PluginWorld world;
  world.settings.unload = Unload::kDrained;
  world.load(built("fixture.so"));
  const Delivery delivery = world.message("test.work");
  world.app->handle({&delivery, 1}, world.sink);
  world.app.reset();
  CHECK(world.images->mapped() == 1);
  world.pool.run_all();
  CHECK(world.images->mapped() == 0);
}

TEST_CASE("a pool that is full says so at once") {
  DeferWorld world;
  world.pool.full = true;
  world.send("test.work");
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].code == Code::kQueueFull);
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a thread of the plugin's own comes back by a post") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.post");
  CHECK(world.mailbox.posts == 1);
  CHECK(world.sink.verdicts.empty());
  world.advance(0s);
  CHECK(world.replied(ticket, "posted"));
}

TEST_CASE("without a way in for other threads the table is not there") {
  PluginWorld world;
  auto unit = make_plugin_unit(*read_plugin(built("fixture.so"), host_abi()), world.settings, world.images);
  auto app = (*unit)->build(
      1, world.limits,
      {.clock = world.clock, .timers = world.timers, .log = Log(world.log, "host"), .watchdog = nullptr});
  REQUIRE(app);
  const Delivery delivery = world.message("test.work");
  (*app)->handle({&delivery, 1}, world.sink);
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].code == Code::kNotSupported);
}

TEST_CASE("a deferred message whose sender withdrew is told to the plugin, once, and pins nothing any more") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.defer");
  CHECK(world.send("test.kept") == ticket + 1);
  CHECK(world.replied(ticket + 1, "1"));
  world.sink.stale = ticket;
  world.app->withdraw({ticket}, world.sink);
  CHECK(world.app->pins() == 0);
  const uint64_t asked = world.send("test.kept");
  CHECK(world.replied(asked, "0"));
  world.app->withdraw({ticket}, world.sink);
  world.app->withdraw({12345}, world.sink);
  world.advance(world.limits.handler_timeout);
  CHECK(world.sink.verdicts.size() == 1);
}

TEST_CASE("a plugin binds events to the response of a message, and late ones as long as it has it in hand") {
  DeferWorld world;
  const uint64_t ticket = world.send("test.notify", "x");
  CHECK(world.replied(ticket, "0"));
  CHECK(world.sink.notified == std::vector<std::string>{"before note x", "after note x", "after note x"});
}

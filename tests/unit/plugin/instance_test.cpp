#include <godwit/plugin.h>

#include <clocale>
#include <thread>

#include "plugin_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

TEST_CASE("a plugin binds patterns and answers messages") {
  PluginWorld world;
  world.load(built("fixture.so"));
  CHECK(world.app->name() == "plugin/fixture@1");
  REQUIRE(world.app->registrations().size() == 2);
  CHECK(world.app->registrations()[0].pattern == "test.*");
  CHECK(world.answer("test.echo", "hello") == "hello");
  CHECK(world.answer("test.echo", "") == "");
  CHECK(world.answer("test.who") == "ada");
  CHECK(world.answer("test.refuse") == "Forbidden: not for you");
  CHECK(world.answer("test.break") == "PluginFailed: plugin/fixture@1 failed");
  CHECK(world.answer("test.silent") == "done");
  CHECK(world.answer("test.started") == "1");
}

TEST_CASE("the handler's number says which pattern matched, and an event that fails is refused with its code") {
  PluginWorld world;
  world.load(built("fixture.so"));
  Delivery event = world.message("other.x", "", wire::Kind::kEvent);
  event.handler = 1;
  CHECK(world.answer(event) == "done");
  event.action = "other.refused";
  CHECK(world.answer(event) == "Forbidden: plugin/fixture@1 failed");
}

TEST_CASE("headers travel both ways, and too many are an error of the plugin that harms nobody") {
  PluginWorld world;
  world.load(built("fixture.so"));
  const wire::Header headers[] = {{"a", "1"}, {"b", ""}};
  Delivery delivery = world.message("test.echo", "x");
  delivery.headers = headers;
  CHECK(world.answer(delivery) == "x");
  CHECK(world.sink.verdicts[0].headers == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", ""}});
  CHECK(world.answer("test.headers") == std::to_string(GW_ERROR_ARGUMENT_INVALID));
}

TEST_CASE("a batch is left when the sink has had enough") {
  PluginWorld world;
  world.load(built("fixture.so"));
  std::vector<Delivery> batch;
  for (int i = 0; i < 5; ++i) batch.push_back(world.message("test.echo", "x"));
  world.sink.enough_after = 3;
  CHECK(world.app->handle(batch, world.sink) == 3);
  CHECK(world.app->stats().handled == 3);
}

TEST_CASE("a second verdict is stale") {
  PluginWorld world;
  world.load(built("fixture.so"));
  // The sink of these tests takes everything; a dispatcher answers stale.
  class OneVerdict : public KeptVerdicts {
   public:
    ReplyOutcome reply(Ticket ticket, Bytes body, std::span<const wire::Header> headers) override {
      return verdicts.empty() ? KeptVerdicts::reply(ticket, body, headers) : ReplyOutcome::kStale;
    }
  } sink;
  const Delivery delivery = world.message("test.twice");
  world.app->handle({&delivery, 1}, sink);
  REQUIRE(sink.verdicts.size() == 1);
  CHECK(sink.verdicts[0].text == "first");
  REQUIRE(world.log.find("replied twice"));
  CHECK(world.log.find("replied twice")->fields.at("second") == "stale");
  CHECK(world.log.find("replied twice")->fields.at("plugin") == "plugin/fixture@1");
}

TEST_CASE("a call from another thread has no effect, says so and is counted; logging is allowed") {
  PluginWorld world;
  world.load(built("fixture.so"));
  const uint64_t before = world.app->stats().errors;
  CHECK(world.answer("test.stranger") == std::to_string(GW_ERROR_WRONG_THREAD));
  CHECK(world.app->stats().errors == before + 1);
  CHECK(world.log.find("logged from elsewhere"));
}

TEST_CASE("patterns are bound while loading and at no other time") {
  PluginWorld world;
  world.load(built("fixture.so"));
  CHECK(world.answer("test.late") == std::to_string(GW_ERROR_NOT_NOW));
  world.settings.values["pattern"] = std::string("not..allowed");
  CHECK(world.load_error(built("fixture.so")).text.find("PatternInvalid") != std::string::npos);
}

TEST_CASE("a plugin reads its configuration by key, with units") {
  PluginWorld world;
  world.settings.values = {{"number", int64_t{42}},
                           {"flag", true},
                           {"wait", std::string("250us")},
                           {"room", std::string("4KiB")},
                           {"text", std::string("plain")}};
  world.load(built("fixture.so"));
  CHECK(world.answer("test.config", "number") == "42");
  CHECK(world.answer("test.config", "flag") == "true");
  CHECK(world.answer("test.config", "wait") == "250");
  CHECK(world.answer("test.config", "room") == "4096");
  CHECK(world.answer("test.config", "text") == "plain");
  CHECK(world.answer("test.config", "absent") == std::to_string(GW_ERROR_NOT_FOUND));
}

TEST_CASE("a plugin that changes the locale finds it changed back, and is named") {
  PluginWorld world;
  world.settings.values["locale"] = true;
  const std::string before = std::setlocale(LC_ALL, nullptr);
  world.load(built("fixture.so"));
  CHECK(std::setlocale(LC_ALL, nullptr) == before);
  REQUIRE(world.log.find("plugin changed the locale"));
}

TEST_CASE("a call that takes long is counted and named") {
  PluginWorld world;
  class SlowClock : public SetClock {
   public:
    Timestamp measure() const override { return now() + steps++ * step; }
    mutable int steps = 0;
    Duration step{};
  } clock;
  auto file = read_plugin(built("fixture.so"), host_abi());
  auto unit = make_plugin_unit(std::move(*file), world.settings, world.images);
  auto app = (*unit)->build(
      1, world.limits, {.clock = clock, .timers = world.timers, .log = Log(world.log, "host"), .watchdog = nullptr});
  REQUIRE(app);
  const Delivery delivery = world.message("test.echo");
  clock.step = 1ms;
  (*app)->handle({&delivery, 1}, world.sink);
  CHECK_FALSE(world.log.find("plugin held up its worker"));
  clock.step = 20ms;
  (*app)->handle({&delivery, 1}, world.sink);
  REQUIRE(world.log.find("plugin held up its worker"));
  CHECK(world.log.find("plugin held up its worker")->fields.at("plugin") == "plugin/fixture@1");
  CHECK((*app)->stats().timeouts == 0);
  clock.step = 300ms;
  (*app)->handle({&delivery, 1}, world.sink);
  CHECK((*app)->stats().timeouts == 1);
}

TEST_CASE("what a generation saves, the next one gets with its version") {
  PluginWorld world;
  world.load(built("fixture.so"));
  for (int i = 0; i < 3; ++i) world.answer("test.echo");
  REQUIRE(world.app->has_state());
  const auto state = world.app->export_state();
  REQUIRE(state);
  PluginWorld next;
  next.load(built("fixture.so"), 2);
  CHECK(next.answer("test.count") == "1");
  REQUIRE(next.app->import_state(*state));
  CHECK(next.answer("test.count") == "4");
  CHECK_FALSE(next.app->import_state("1.2.3"));
  CHECK(world.answer("test.count") == "4");
}

TEST_CASE("generations are apart: each has its own statics, its own settings, and goes when it is drained") {
  PluginWorld world;
  world.settings.unload = Unload::kDrained;
  world.load(built("statics.so"), 1);
  CHECK(world.answer("statics.count") == "1");
  CHECK(world.answer("statics.count") == "2");
  std::unique_ptr<App> first = std::move(world.app);
  world.load(built("statics.so"), 2);
  CHECK(world.answer("statics.count") == "1");
  CHECK(world.images->mapped() == 2);
  first.reset();
  CHECK(world.images->mapped() == 1);
  CHECK(world.answer("statics.count") == "2");
  world.app.reset();
  CHECK(world.images->mapped() == 0);
}

TEST_CASE("a thousand generations come and go without leaving anything mapped") {
  PluginWorld world;
  world.settings.unload = Unload::kDrained;
  for (uint32_t generation = 1; generation <= 1000; ++generation) {
    world.load(built("statics.so"), generation);
    REQUIRE(world.answer("statics.count") == "1");
  }
  CHECK(world.images->mapped() == 1);
}

TEST_CASE("unloading needs the plugin's word, and without unloading generations are bounded") {
  PluginWorld world;
  world.settings.unload = Unload::kDrained;
  CHECK(world.load_error(built("keeper.so")).text.find("GW_FLAG_CAN_UNLOAD") != std::string::npos);
  world.settings.unload = Unload::kNever;
  for (uint32_t generation = 1; generation <= PluginImages::kKeptMax; ++generation)
    world.load(built("keeper.so"), generation);
  const Error error = world.load_error(built("keeper.so"));
  CHECK(error.text.find("restart the server") != std::string::npos);
  CHECK(world.answer("statics.count") == "1");
}

TEST_CASE("the same file with other settings is another version, with the same settings it is not") {
  PluginWorld world;
  const auto hash = [&] {
    return (*make_plugin_unit(*read_plugin(built("fixture.so"), host_abi()), world.settings, world.images))->hash();
  };
  const uint64_t before = hash();
  CHECK(hash() == before);
  world.settings.values["x"] = int64_t{1};
  CHECK(hash() != before);
}

TEST_CASE("numbers that the header spells are those of the registry") {
  const auto name = [](gw_status status) { return name_of(static_cast<Code>(status)); };
  CHECK(name(GW_ERROR_QUEUE_FULL) == "QueueFull");
  CHECK(name(GW_ERROR_OUT_OF_MEMORY) == "OutOfMemory");
  CHECK(name(GW_ERROR_HANDLER_NOT_FOUND) == "HandlerNotFound");
  CHECK(name(GW_ERROR_HANDLER_FAILED) == "HandlerFailed");
  CHECK(name(GW_ERROR_DEADLINE_EXCEEDED) == "DeadlineExceeded");
  CHECK(name(GW_ERROR_MESSAGE_TOO_LARGE) == "MessageTooLarge");
  CHECK(name(GW_ERROR_CANCELLED) == "Cancelled");
  CHECK(name(GW_ERROR_HEADERS_INVALID) == "HeadersInvalid");
  CHECK(name(GW_ERROR_REPLY_NOT_EXPECTED) == "ReplyNotExpected");
  CHECK(name(GW_ERROR_PATTERN_INVALID) == "PatternInvalid");
  CHECK(name(GW_ERROR_STALE) == "StaleHandle");
  CHECK(name(GW_ERROR_WRONG_THREAD) == "WrongThread");
  CHECK(name(GW_ERROR_NOT_SUPPORTED) == "NotSupported");
  CHECK(name(GW_ERROR_PLUGIN_FAILED) == "PluginFailed");
  CHECK(name(GW_ERROR_NOT_FOUND) == "NotFound");
  CHECK(name(GW_ERROR_ARGUMENT_INVALID) == "ArgumentInvalid");
  CHECK(name(GW_ERROR_NOT_NOW) == "NotNow");
  CHECK(name(GW_ERROR_LIMIT) == "LimitReached");
  CHECK(name(GW_ERROR_UNAUTHENTICATED) == "Unauthenticated");
  CHECK(name(GW_ERROR_FORBIDDEN) == "Forbidden");
}

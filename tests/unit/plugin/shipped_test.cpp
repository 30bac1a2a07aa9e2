#include <godwit/plugin.h>

#include "host/router.h"
#include "plugin_world.h"
#include "session/identity.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

std::string uid_of(PluginWorld& world, std::string token, std::string uid = {}) {
  const session::Credentials credentials{.client_id = "device-7", .uid = std::move(uid), .token = std::move(token)};
  std::string decided;
  world.app->authenticator()->authenticate(credentials, [&](const Result<session::Identity>& identity) {
    decided = identity ? identity->uid : name_of(identity.error().code);
  });
  return decided;
}

}  // namespace

TEST_CASE("all shipped plugins can be inspected, say what they are, and may be unloaded") {
  const std::pair<const char*, uint32_t> kinds[] = {
      {"echo", GW_KIND_HANDLER},       {"codec_msgpack", GW_KIND_CODEC},   {"store_file", GW_KIND_STORE},
      {"rate_limit", GW_KIND_HANDLER}, {"size_default", GW_KIND_STRATEGY}, {"route_prefix", GW_KIND_ROUTER},
      {"auth_token", GW_KIND_AUTH}};
  for (const auto& [name, kind] : kinds) {
    const auto file = read_plugin(shipped(name), host_abi());
    INFO((file ? std::string() : file.error().to_string()));
    REQUIRE(file);
    CHECK(file->info.name == name);
    CHECK(file->info.kinds == kind);
    CHECK(file->info.license == "GPL-3.0-or-later");
    CHECK_FALSE(file->info.description.empty());
    CHECK(file->info.can_unload());
  }
}

TEST_CASE("echo answers with body and headers, at the action it is told") {
  PluginWorld world;
  world.load(shipped("echo"));
  CHECK(world.app->registrations()[0].pattern == "plugin.echo");
  CHECK(world.answer("plugin.echo", std::string(100'000, 'x')) == std::string(100'000, 'x'));
  CHECK(world.answer(world.message("plugin.echo", "x", wire::Kind::kEvent)) == "done");
  world.settings.values["action"] = std::string("query/mirror.*");
  world.load(shipped("echo"), 2);
  CHECK(world.app->registrations()[0].pattern == "query/mirror.*");
  world.settings.values["action"] = int64_t{7};
  CHECK(world.load_error(shipped("echo")).text.find("ArgumentInvalid") != std::string::npos);
}

TEST_CASE("rate_limit lets a burst through, then one message per refill, and counts each session for itself") {
  PluginWorld world;
  world.settings.values = {{"per_second", int64_t{10}}, {"burst", int64_t{3}}};
  world.load(shipped("rate_limit"));
  for (int i = 0; i < 3; ++i) CHECK(world.answer("rate.take") == "");
  CHECK(world.answer("rate.take") == "LimitReached: slow down");
  const SessionView other{8, "device-8", "ada", "127.0.0.1:4243"};
  Delivery delivery = world.message("rate.take");
  delivery.session = &other;
  CHECK(world.answer(delivery) == "");
  Delivery critical = world.message("rate.take");
  critical.priority = wire::Priority::kCritical;
  CHECK(world.answer(critical) == "");
  world.clock.advance(99ms);
  CHECK(world.answer("rate.take") == "LimitReached: slow down");
  world.clock.advance(1ms);
  CHECK(world.answer("rate.take") == "");
  CHECK(world.answer("rate.take") == "LimitReached: slow down");
  world.clock.advance(1h);
  for (int i = 0; i < 3; ++i) CHECK(world.answer("rate.take") == "");
  CHECK(world.answer("rate.take") == "LimitReached: slow down");
}

TEST_CASE("rate_limit by uid counts all sessions of one user together, and refuses a configuration it does not know") {
  PluginWorld world;
  world.settings.values = {{"per_second", int64_t{1}}, {"by", std::string("uid")}};
  world.load(shipped("rate_limit"));
  CHECK(world.answer("rate.take") == "");
  const SessionView other{8, "device-8", "ada", "127.0.0.1:4243"};
  Delivery delivery = world.message("rate.take");
  delivery.session = &other;
  CHECK(world.answer(delivery) == "LimitReached: slow down");
  world.settings.values["by"] = std::string("moon");
  world.load_error(shipped("rate_limit"));
  CHECK(world.log.find("config.by is \"session\" or \"uid\""));
}

TEST_CASE("route_prefix looks actions up without their prefix, and leaves the others alone") {
  PluginWorld world;
  world.load_error(shipped("route_prefix"));
  world.settings.values["strip"] = std::string("v1");
  world.load(shipped("route_prefix"));
  REQUIRE(world.app->router());
  CHECK_FALSE(world.app->authenticator());
  const auto reroute = [&](std::string_view action) {
    return std::string(world.app->router()->reroute(wire::Kind::kCommand, action));
  };
  CHECK(reroute("v1.chat.say") == "chat.say");
  CHECK(reroute("v1") == "v1");
  CHECK(reroute("v10.chat") == "v10.chat");
  CHECK(reroute("chat.say") == "chat.say");
  world.settings.values["add"] = std::string("v2.");
  world.load(shipped("route_prefix"), 2);
  CHECK(reroute("v1.chat.say") == "v2.chat.say");
}

TEST_CASE("a route that is no action is not followed, and is the plugin's error") {
  PluginWorld world;
  world.settings.values["add"] = std::string("a.b.c.d.e.f.g.h");
  world.load(shipped("route_prefix"));
  const std::string deep = "1.2.3.4.5.6.7.8.9";
  CHECK(world.app->router()->reroute(wire::Kind::kCommand, deep) == deep);
  CHECK(world.app->stats().errors == 1);
}

TEST_CASE("auth_token lets in by the right token, for its uid only") {
  PluginWorld world;
  world.load_error(shipped("auth_token"));
  world.settings.values = {{"users.0.uid", "ada"},
                           {"users.0.token", "correct-horse-battery"},
                           {"users.1.uid", "bob"},
                           {"users.1.token", "staple-staple-staple"}};
  world.load(shipped("auth_token"));
  REQUIRE(world.app->authenticator());
  CHECK(uid_of(world, "correct-horse-battery") == "ada");
  CHECK(uid_of(world, "staple-staple-staple", "bob") == "bob");
  CHECK(uid_of(world, "staple-staple-staple", "ada") == "Unauthenticated");
  CHECK(uid_of(world, "correct-horse-batterX") == "NotFound");
  CHECK(uid_of(world, "correct-horse") == "NotFound");
  CHECK(uid_of(world, "") == "NotFound");
  world.settings.values["users.1.token"] = std::string("short");
  world.load_error(shipped("auth_token"));
  world.settings.values = {{"user.0.uid", "ada"}};
  world.load_error(shipped("auth_token"));
}

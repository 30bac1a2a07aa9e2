#include <catch2/catch.hpp>
#include <optional>

#include "host/authorizer.h"
#include "script_world.h"
#include "session/identity.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

using Decided = std::optional<Result<session::Identity>>;

session::Credentials credentials() {
  return {.client_id = "device", .uid = "ada", .token = "secret", .agent = "test/1", .address = "127.0.0.1:1"};
}

void ask(ScriptWorld& world, Decided& decided) {
  world.app->authenticator()->authenticate(credentials(), [&](Result<session::Identity> identity) {
    REQUIRE_FALSE(decided);
    decided = std::move(identity);
  });
}

/// What an app decides whose function has this body; "pending" when it does not within ten seconds.
std::string decision(const std::string& body) {
  ScriptWorld world;
  world.load("gw.authenticate(function(cred) " + body + " end)");
  Decided decided;
  ask(world, decided);
  for (int i = 0; i < 100 && !decided; ++i) world.pass(100ms);
  if (!decided) return "pending";
  return *decided ? (*decided)->uid : name_of(decided->error().code) + ": " + decided->error().text;
}

/// Why an app with this code refuses a message; empty when it allows it.
std::string refusal(ScriptWorld& world, Delivery delivery) {
  static const std::vector<Registration> kRegistrations = {{"door.*", "main.lua:1", {}}};
  delivery.action = "door.open";
  std::vector<std::string> refusals(1);
  world.app->authorizer()->authorize(std::span(&delivery, 1), {"house", kRegistrations}, world.sink, refusals);
  return refusals[0];
}

std::string refusal(const std::string& body) {
  ScriptWorld world;
  world.load("gw.authorize(function(session, action, target) " + body + " end)");
  return refusal(world, world.command("x"));
}

}  // namespace

TEST_CASE("an app lets a client in, with groups and attributes, and learns what it said of itself") {
  ScriptWorld world;
  world.load(
      "gw.authenticate(function(cred) "
      "print(cred.client_id, cred.uid, cred.token, cred.agent, cred.certificate_name, cred.address) "
      "return { uid = 'alice', groups = { 'staff', 'all' }, attributes = { role = 'admin', level = 3, new = true } } "
      "end)");
  Decided decided;
  ask(world, decided);
  CHECK_FALSE(decided);
  CHECK(world.app->pins() > 0);
  world.go_on();
  REQUIRE(decided);
  REQUIRE(*decided);
  const session::Identity& identity = **decided;
  CHECK(identity.client_id == "device");
  CHECK(identity.uid == "alice");
  CHECK(identity.groups == std::vector<std::string>{"staff", "all"});
  CHECK(identity.attributes.size() == 3);
  CHECK(world.log.lines[0].text == "device\tada\tsecret\ttest/1\tnil\t127.0.0.1:1");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("an app says what a client may do, and for how long") {
  ScriptWorld world;
  world.load(
      "gw.authenticate(function() return { uid = 'alice', actions = { 'query/**', 'chat.say' }, body_max = 1024, "
      "sessions_max = 2, expires = 1900000000 } end)");
  Decided decided;
  ask(world, decided);
  world.go_on();
  REQUIRE(decided);
  REQUIRE(*decided);
  const session::Identity& identity = **decided;
  CHECK(identity.rights.actions == std::vector<std::string>{"query/**", "chat.say"});
  CHECK(identity.rights.body_bytes_max == 1024);
  CHECK(identity.rights.sessions_max == 2);
  CHECK(identity.expires_unix_us == 1'900'000'000'000'000);
  CHECK(identity.proved);
  // A bound that makes no sense lets nobody do more.
  CHECK(decision("return { uid = 'x', actions = { 1 } }") == "Unauthenticated: not admitted");
}

TEST_CASE("the decision may take its time") {
  CHECK(decision("gw.sleep(3) return { uid = 'late' }") == "late");
  CHECK(decision("gw.sleep(60) return { uid = 'too late' }") == "pending");
}

TEST_CASE("an app that does not know a client leaves it to others") {
  CHECK(decision("return nil").rfind("NotFound", 0) == 0);
  CHECK(decision("").rfind("NotFound", 0) == 0);
}

TEST_CASE("every way to fail lets nobody in, and tells the client nothing") {
  const std::string no = "Unauthenticated: not admitted";
  CHECK(decision("return nil, 'the token is stolen'") == no);
  CHECK(decision("return nil, gw.err('Forbidden', 'no')") == no);
  CHECK(decision("return false").rfind("NotFound", 0) == 0);
  CHECK(decision("return nil, false") == no);
  CHECK(decision("error('broken')") == no);
  CHECK(decision("gw.sleep(1) error('broken')") == no);
  CHECK(decision("while true do end") == no);
  CHECK(decision("local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end") == no);
  CHECK(decision("return true") == no);
  CHECK(decision("return 'alice'") == no);
  CHECK(decision("return {}") == no);
  CHECK(decision("return { uid = 7 }") == no);
  CHECK(decision("return { uid = 'a', group = 'typo' }") == no);
  CHECK(decision("return { uid = 'a', groups = { 1 } }") == no);
  CHECK(decision("return { uid = 'a', attributes = { x = {} } }") == no);
}

TEST_CASE("why somebody was not let in stands in the log") {
  ScriptWorld world;
  world.load("gw.authenticate(function() return nil, 'the token is stolen' end)");
  Decided decided;
  ask(world, decided);
  world.go_on();
  const auto* line = world.log.find("client not let in");
  REQUIRE(line);
  CHECK(line->fields.at("app") == "test@1");
  CHECK(line->fields.at("reason") == "the token is stolen");
  CHECK(line->fields.at("client") == "device");
  for (const auto& one : world.log.lines)
    for (const auto& [name, value] : one.fields) CHECK(value.find("secret") == std::string::npos);
}

TEST_CASE("more who ask than may wait are not let in") {
  ScriptWorld world;
  world.limits.coroutines_max = 2;
  world.load("gw.authenticate(function() gw.sleep(1) return { uid = 'a' } end)");
  Decided first, second, third;
  ask(world, first);
  ask(world, second);
  ask(world, third);
  world.go_on();
  CHECK_FALSE(first);
  REQUIRE(third);
  CHECK(third->error().code == Code::kUnauthenticated);
  world.pass(1100ms);
  CHECK(*first);
  CHECK(*second);
}

TEST_CASE("who still asks when a generation is ended is not let in") {
  ScriptWorld world;
  world.load("gw.authenticate(function() gw.sleep(60) return { uid = 'a' } end)");
  Decided decided;
  ask(world, decided);
  world.go_on();
  world.app->retire();
  CHECK_FALSE(decided);
  world.app->cancel(Code::kScriptRetired, world.sink);
  REQUIRE(decided);
  CHECK(decided->error().code == Code::kUnauthenticated);
  world.go_on();
  CHECK(world.app->pins() == 0);
}

TEST_CASE("an app without gw.authenticate and gw.authorize decides nothing, and costs nothing") {
  ScriptWorld world;
  world.load("gw.handle('x', function() end)");
  CHECK(world.app->authenticator() == nullptr);
  CHECK(world.app->authorizer() == nullptr);
  CHECK(world.app->router() == nullptr);
}

TEST_CASE("an app allows messages by sender, action and where they go") {
  CHECK(refusal("return true") == "");
  CHECK(refusal("return session.uid == 'ada' and action == 'door.open'") == "");
  CHECK(refusal("return target.app == 'house' and target.pattern == 'door.*' and target.kind == 'command'") == "");
  CHECK(refusal("return session.uid == 'bob'") == "refused");
  CHECK(refusal("return false, 'not your door'") == "not your door");
}

TEST_CASE("what is no clear yes is a no") {
  CHECK(refusal("") == "refused");
  CHECK(refusal("return 1") == "refused");
  CHECK(refusal("return 'true'") == "refused");
  CHECK(refusal("error('broken')") == "gw.authorize failed");
  CHECK(refusal("while true do end") == "gw.authorize failed");
  CHECK(refusal("gw.sleep(1) return true") == "it was to be waited for");
}

TEST_CASE("of several rules all must allow, and one failure stays its message's own") {
  ScriptWorld world;
  world.load(
      "count = 0 gw.authorize(function() count = count + 1 return count ~= 2 end) "
      "gw.authorize(function() if count == 3 then error('broken') end return true end)");
  CHECK(refusal(world, world.command("1")) == "");
  CHECK(refusal(world, world.command("2")) == "refused");
  CHECK(refusal(world, world.command("3")) == "gw.authorize failed");
  CHECK(refusal(world, world.command("4")) == "");
  CHECK(world.log.count("handler failed") == 1);
  CHECK(world.app->pins() == 0);
}

TEST_CASE("mistakes in who decides are told at load") {
  ScriptWorld world;
  CHECK(world.load_error("gw.authenticate()").find("expected a function") != std::string::npos);
  CHECK(world.load_error("gw.authorize(1)").find("expected a function") != std::string::npos);
  CHECK(world.load_error("gw.authenticate(print) gw.authenticate(print)").find("was called already") !=
        std::string::npos);
  CHECK(world.raised("gw.authorize(print)").find("while the app loads only") != std::string::npos);
}

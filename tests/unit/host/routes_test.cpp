#include <catch2/catch.hpp>

#include "host/router.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

using What = KeptVerdicts::Verdict::What;

std::string rerouted(ScriptWorld& world, std::string_view action, wire::Kind kind = wire::Kind::kCommand) {
  return std::string(world.app->router()->reroute(kind, action));
}

/// What became of a message whose route is this function: "-> action", or its failure.
std::string routed(const std::string& body, Code outcome = Code::kOk) {
  ScriptWorld world;
  world.sink.forward_outcome = outcome;
  world.load("gw.route('do.*', function(msg, session) " + body + " end)");
  world.handle({world.command("hello")});
  world.pass(1s);
  if (!world.sink.forwarded.empty()) return "-> " + world.sink.forwarded[0].second;
  REQUIRE(world.sink.verdicts.size() == 1);
  return world.sink.verdicts[0].what == What::kReply ? world.sink.verdicts[0].text
                                                     : name_of(world.sink.verdicts[0].code);
}

}  // namespace

TEST_CASE("a route gives messages another address, the most specific one and only once") {
  ScriptWorld world;
  world.load(
      "gw.route('v1.**', '**') gw.route('v1.old', 'v1.new') gw.route('query/status', 'device.status') "
      "gw.route('a', 'b') gw.route('b', 'a')");
  CHECK(rerouted(world, "v1.chat.say") == "chat.say");
  CHECK(rerouted(world, "v1.old") == "v1.new");
  CHECK(rerouted(world, "status", wire::Kind::kQuery) == "device.status");
  CHECK(rerouted(world, "status") == "status");
  CHECK(rerouted(world, "a") == "b");
  CHECK(rerouted(world, "b") == "a");
  CHECK(rerouted(world, "other") == "other");
}

TEST_CASE("a function routes a message by what is in it, and may take its time") {
  CHECK(routed("return msg.action .. '.' .. msg:body() .. '.' .. session.uid") == "-> do.it.hello.ada");
  CHECK(routed("gw.sleep(0.5) return 'later'") == "-> later");
}

TEST_CASE("a route that leads nowhere fails its message with a code") {
  CHECK(routed("return nil") == "RouteFailed");
  CHECK(routed("return 7") == "RouteFailed");
  CHECK(routed("return nil, gw.err('Forbidden')") == "Forbidden");
  CHECK(routed("error('broken')") == "HandlerFailed");
  CHECK(routed("return 'nobody'", Code::kHandlerNotFound) == "HandlerNotFound");
  CHECK(routed("return '..'", Code::kActionInvalid) == "ActionInvalid");
  CHECK(routed("msg:reply('here') return nil") == "here");
}

TEST_CASE("a handler hands its message on, and is done with it") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) print(tostring(msg:forward('other'))) "
      "print(select(2, msg:reply('x')).name) print(select(2, msg:forward('third')).name) end)");
  world.handle({world.command("x")});
  REQUIRE(world.sink.forwarded.size() == 1);
  CHECK(world.sink.forwarded[0].second == "other");
  CHECK(world.sink.verdicts.empty());
  CHECK(world.log.lines[0].text == "true");
  CHECK(world.log.lines[1].text == "ReplyTwice");
  CHECK(world.log.lines[2].text == "ReplyTwice");
}

TEST_CASE("a message that could not be handed on is still its handler's to answer") {
  ScriptWorld world;
  world.sink.forward_outcome = Code::kHandlerNotFound;
  world.load("gw.handle('do.it', function(msg) local ok, err = msg:forward('nobody') msg:reply(err.name) end)");
  world.handle({world.command("x")});
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].text == "HandlerNotFound");
}

TEST_CASE("a message can be handed on after a wait, and when its answer was put off") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) if msg:body() == 'wait' then gw.sleep(1) return msg:forward('a') end "
      "msg:defer() gw.after(1, function() msg:forward('b') end) end)");
  world.handle({world.command("wait"), world.command("defer")});
  world.go_on();
  CHECK(world.sink.forwarded.empty());
  world.pass(1100ms);
  REQUIRE(world.sink.forwarded.size() == 2);
  CHECK(world.sink.verdicts.empty());
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a route goes around the app's middleware, which goes around the handler that answers") {
  ScriptWorld world;
  world.load("gw.use(function() error('not here') end) gw.route('do.it', function() return 'other' end)");
  world.handle({world.command("x")});
  CHECK(world.sink.forwarded.size() == 1);
}

TEST_CASE("mistakes in routes are told at load") {
  ScriptWorld world;
  CHECK(world.load_error("gw.route('v1.*', '**')").find("the wildcards of the pattern") != std::string::npos);
  CHECK(world.load_error("gw.route('v1.*')").find("the target must be an action or a function") != std::string::npos);
  CHECK(world.load_error("gw.route('a..b', 'x')").find("an empty level") != std::string::npos);
  CHECK(world.load_error("gw.handle('x', print) gw.route('x', print)").find("bound already at test/main.lua:1") !=
        std::string::npos);
  CHECK(world.raised("gw.route('a', 'b')").find("while the app loads only") != std::string::npos);
}

TEST_CASE("what a script keeps and answers where nothing can be answered is refused") {
  ScriptWorld world;
  world.load(
      "gw.handle('do.it', function(msg) kept = msg:defer() end) kept = nil "
      "gw.unload(function() print(select(2, kept:reply('x')).name, select(2, kept:forward('x')).name) end)");
  world.handle({world.command("x")});
  world.app->retire();
  CHECK(world.log.lines[0].text == "NotNow\tNotNow");
}

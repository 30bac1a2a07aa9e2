#include "../host/script_world.h"
#include "once_world.h"

using namespace godwit;
using namespace godwit::host::test;

namespace {

/// An app whose handler calls gw.once with the message's body as the key.
struct Scripted {
  explicit Scripted(const std::string& options, const std::string& body) {
    script.once = once.process->workers[0].get();
    script.load("count = 0 go = gw.semaphore(1) gw.handle('do.it', function(msg) local v, err = gw.once(msg:body(), " +
                options + ", function() count = count + 1 " + body +
                " end) msg:reply(err and err.name .. ':' .. err.message or gw.json.encode(v == nil and gw.json.null or "
                "v)) end, "
                "{ ordered = false })");
  }
  std::vector<std::string> replies() const {
    std::vector<std::string> texts;
    for (const auto& verdict : script.sink.verdicts) texts.push_back(verdict.text);
    return texts;
  }
  void ask(const std::string& key, size_t times = 1) {
    for (size_t i = 0; i < times; ++i) script.handle({script.command(key)});
    script.go_on();
  }
  void pass(Duration by) {
    once.time.advance(by);
    script.pass(by);
  }
  double count() { return std::stod(*script.app->eval("return count")); }

  testing::OnceWorld once;
  ScriptWorld script;
};

}  // namespace

TEST_CASE("gw.once: a hundred calls with one key execute once and return the same, whatever type it has") {
  Scripted world("{}", "gw.sleep(1) return { n = count, list = { 1, 2 } }");
  world.ask("key", 100);
  CHECK(world.replies().empty());
  world.pass(1s);
  REQUIRE(world.replies().size() == 100);
  for (const std::string& reply : world.replies()) CHECK(reply == R"({"list":[1,2],"n":1})");
  world.ask("key");
  CHECK(world.replies().back() == R"({"list":[1,2],"n":1})");
  world.ask("other");
  world.pass(1s);
  CHECK(world.replies().back() == R"({"list":[1,2],"n":2})");
}

TEST_CASE("gw.once: nil is an outcome, too, and so is an error that was returned or raised") {
  const auto [body, outcome] =
      GENERATE(table<std::string, std::string>({{"return nil", "null"},
                                                {"return nil, gw.err('Forbidden', 'not you')", "Forbidden:not you"},
                                                {"return false", "false"}}));
  Scripted world("{}", body);
  world.ask("key");
  world.ask("key");
  CHECK(world.replies() == std::vector<std::string>{outcome, outcome});
  CHECK(world.count() == 1);
}

TEST_CASE("gw.once: a raised error fails its caller as ever, and is the outcome for the others") {
  Scripted world("{}", "gw.sleep(1) error('broken')");
  world.ask("key", 2);
  world.pass(1s);
  world.ask("key");
  REQUIRE(world.script.sink.verdicts.size() == 3);
  // Who waited goes on first; whoever executed it hears that it is kept.
  CHECK(world.script.sink.verdicts[1].code == Code::kHandlerFailed);
  CHECK(world.replies()[0] == "ScriptError:test/main.lua:1: broken");
  CHECK(world.replies()[2] == world.replies()[0]);
  CHECK(world.count() == 1);
}

TEST_CASE("gw.once: who waits too long is told that it is executing") {
  Scripted world("{ wait = '500ms' }", "gw.sleep(2) return 'late'");
  world.ask("key", 2);
  world.pass(500ms);
  CHECK(world.replies() == std::vector<std::string>{"OperationExecuting:it is being executed"});
  world.pass(1500ms);
  CHECK(world.replies().back() == "\"late\"");
}

TEST_CASE("gw.once: a function that is ended from outside has broken off") {
  const bool again = GENERATE(false, true);
  Scripted world(again ? "{ again = true }" : "{}", "if count == 1 then while true do end end return 'second'");
  world.ask("key");
  CHECK(world.script.sink.verdicts.at(0).code == Code::kScriptTimeout);
  world.ask("key");
  CHECK(world.replies().back() == (again ? "\"second\"" : "OperationUnknown:its execution broke off"));
}

TEST_CASE("gw.once: a handler whose time is over while it executes has broken off") {
  Scripted world("{}", "gw.sleep(60) return 'never'");
  world.ask("key");
  world.pass(world.script.limits.handler_timeout);
  CHECK(world.script.sink.verdicts.at(0).code == Code::kScriptTimeout);
  world.ask("key");
  CHECK(world.replies().back() == "OperationUnknown:its execution broke off");
}

TEST_CASE("gw.once: mistakes are told") {
  ScriptWorld world;
  CHECK(world.raised("gw.once(1, function() end)").find("the key must be a string") != std::string::npos);
  CHECK(world.raised("gw.once('k', {}, 1)").find("expected a function") != std::string::npos);
  CHECK(world.raised("gw.once('k', { tll = 1 }, function() end)").find("unknown option 'tll'") != std::string::npos);
  CHECK(world.raised("gw.once('k', { wait = 'long' }, function() end)").find("option 'wait': expected seconds") !=
        std::string::npos);
  CHECK(world.answer("local v, err = gw.once('k', function() return 1 end) msg:reply(err.name)") == "NotSupported");
}

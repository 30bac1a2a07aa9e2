#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

struct CommandWorld : ScriptWorld {
  using Args = std::vector<std::string>;

  void run(std::string_view command, const Args& args = {}) {
    app->run_command(command, args, [this](Result<std::string> result) {
      ends.push_back(result ? *result : name_of(result.error().code) + ": " + result.error().text);
    });
    go_on();
  }
  std::string result(std::string_view command, const Args& args = {}) {
    ends.clear();
    run(command, args);
    REQUIRE(ends.size() == 1);
    return ends.front();
  }

  std::vector<std::string> ends;
};

}  // namespace

TEST_CASE("a command gets its arguments, and its result is JSON") {
  CommandWorld world;
  world.load(
      "gw.command('join', {help = 'Joins.', args = 'TEXT...'}, function(args) return table.concat(args, '+') end) "
      "gw.command('facts', function() return {app = gw.info.app, list = {1, 2}} end) "
      "gw.command('nothing', function() end)");
  REQUIRE(world.app->commands().size() == 3);
  CHECK(world.app->commands()[0].name == "join");
  CHECK(world.app->commands()[0].help == "Joins.");
  CHECK(world.app->commands()[0].arguments == "TEXT...");
  CHECK(world.result("join", {"a", "b c"}) == R"("a+b c")");
  CHECK(world.result("facts") == R"({"app":"test","list":[1,2]})");
  CHECK(world.result("nothing") == "null");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("a command may wait, and is not answered before its end") {
  CommandWorld world;
  world.load("gw.command('slow', function() gw.sleep(2) return 'done' end)");
  world.run("slow");
  CHECK(world.app->pins() > 0);
  world.pass(1s);
  CHECK(world.ends.empty());
  world.pass(1s);
  CHECK(world.ends == std::vector<std::string>{R"("done")"});
}

TEST_CASE("an unknown command is answered with those that there are") {
  CommandWorld world;
  world.load("gw.command('one', function() end) gw.command('two', function() end)");
  CHECK(world.result("three") == "CommandUnknown: test@1 has no command 'three'; it has: one, two");
  world.load("");
  CHECK(world.result("three") == "CommandUnknown: test@1 has no command 'three'; it has: none");
}

TEST_CASE("every way to fail is told, once") {
  CommandWorld world;
  world.limits.handler_timeout = 5s;
  world.load(
      "gw.command('raise', function() error('no way') end) "
      "gw.command('refuse', function() return nil, gw.err('Forbidden', 'not you') end) "
      "gw.command('chosen', function() error(gw.err('ValueWrong', 'odd')) end) "
      "gw.command('text', function() return nil, 'just so' end) "
      "gw.command('spin', function() while true do end end) "
      "gw.command('odd', function() return function() end end) "
      "gw.command('hang', function() gw.channel(1):recv() end)");
  CHECK(world.result("raise") == "HandlerFailed: test/main.lua:1: no way");
  CHECK(world.result("refuse") == "Forbidden: not you");
  CHECK(world.result("chosen") == "ValueWrong: odd");
  CHECK(world.result("text") == "ScriptError: just so");
  CHECK(world.result("spin").substr(0, 14) == "ScriptTimeout:");
  CHECK(world.result("odd").substr(0, 11) == "ValueWrong:");
  world.ends.clear();
  world.run("hang");
  world.pass(4s);
  CHECK(world.ends.empty());
  world.pass(2s);
  CHECK(world.ends == std::vector<std::string>{"DeadlineExceeded: no reply came before the deadline"});
  CHECK(world.app->pins() == 0);
}

TEST_CASE("when the app ends before its command, whoever called hears that") {
  CommandWorld world;
  world.load("gw.command('slow', function() gw.sleep(60) end)");
  world.run("slow");
  world.app.reset();
  CHECK(world.ends == std::vector<std::string>{"ScriptRetired: test@1 ended before the command"});
}

TEST_CASE("a command is declared while its app loads, once and soundly") {
  ScriptWorld world;
  CHECK(world.raised("gw.command('a', function() end)") ==
        "test/main.lua:1: gw.command: commands are declared while the app loads");
  CHECK(world.load_error("gw.command('a', function() end) gw.command('a', function() end)") ==
        "test/main.lua:1: gw.command: a: it is declared already");
  CHECK(world.load_error("gw.command('A b', function() end)") ==
        "test/main.lua:1: gw.command: A b: a command's name is made of a-z, 0-9, '.', '_' and '-', at most 64");
  CHECK(world.load_error("gw.command('a', {helps = 'x'}, function() end)") ==
        "test/main.lua:1: gw.command: unknown option 'helps'");
  CHECK(world.load_error("gw.command('a', {})") == "test/main.lua:1: gw.command: expected a function, got nil");
}

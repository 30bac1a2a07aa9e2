#include <catch2/catch.hpp>
#include <lua.hpp>
#include <random>
#include <string>

#include "host/lua_match.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

std::string random_text(std::mt19937& random, const std::vector<std::string>& pieces, size_t count_max) {
  std::string text;
  const size_t count = random() % (count_max + 1);
  for (size_t i = 0; i < count; ++i) text += pieces[random() % pieces.size()];
  return text;
}

/// What a call of one of LuaJIT's own functions gives, as text.
class OwnStrings {
 public:
  OwnStrings() : state_(luaL_newstate()) {
    luaL_openlibs(state_);
    REQUIRE(luaL_dostring(state_, kRun) == 0);
  }
  ~OwnStrings() { lua_close(state_); }

  std::string run(const char* function, const std::string& subject, const std::string& pattern) {
    lua_getglobal(state_, "run");
    lua_pushstring(state_, function);
    lua_pushlstring(state_, subject.data(), subject.size());
    lua_pushlstring(state_, pattern.data(), pattern.size());
    REQUIRE(lua_pcall(state_, 3, 1, 0) == 0);
    std::string text = lua_tostring(state_, -1);
    lua_pop(state_, 1);
    return text;
  }

  static constexpr const char* kRun = R"(
    function run(name, subject, pattern)
      local function all(...)
        local words = {}
        for i = 1, select('#', ...) do words[i] = tostring((select(i, ...))) end
        return table.concat(words, '|')
      end
      local calls = {
        find = function() return all(string.find(subject, pattern)) end,
        find_from = function() return all(string.find(subject, pattern, -3)) end,
        match = function() return all(string.match(subject, pattern)) end,
        gsub = function() return all(string.gsub(subject, pattern, '<%0>')) end,
        gsub_some = function() return all(string.gsub(subject, pattern, '%%%1', 2)) end,
        gsub_call = function() return all(string.gsub(subject, pattern, function(...) return all(...):upper() end)) end,
        gmatch = function()
          local found = {}
          for a, b in string.gmatch(subject, pattern) do
            found[#found + 1] = all(a, b)
            if #found > 20 then break end
          end
          return table.concat(found, ';')
        end,
      }
      local ok, result = pcall(calls[name])
      if ok then return result end
      return 'error: ' .. result:gsub('^%S+:%d+: ', '')
    end)";

 private:
  lua_State* state_;
};

}  // namespace

TEST_CASE("patterns find what LuaJIT's own functions find") {
  const std::vector<std::string> letters{"a", "b", "ab", "1", " ", "(", ")",  "[",
                                         "]", "%", "_",  ".", "-", "x", "\n", "A"};
  const std::vector<std::string> items{"a",    "b",    ".",     "%a", "%d",     "%s",    "%w",   "%S",
                                       "[ab]", "[^a]", "[a-z]", "%(", "%.",     "[%w_]", "%b()", "%f[%w]",
                                       "(",    ")",    "()",    "%1", "^",      "$",     "[]]",  "[^%s]",
                                       "%",    "[",    "%l",    "%x", "[%a-z]", "%p",    "-",    "[%]]"};
  const std::vector<std::string> repeats{"", "", "", "*", "+", "-", "?"};
  std::mt19937 random(20240607);
  OwnStrings own;
  ScriptWorld world;
  world.limits.burst_max = 5s;
  world.load(std::string(OwnStrings::kRun).replace(5, 12, "run = function") +
             " gw.handle('x', function(msg) msg:reply(run(msg.headers.name, msg:body(), msg.headers.pattern)) end)");
  size_t found = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string subject = random_text(random, letters, 12);
    std::string pattern;
    const size_t count = 1 + random() % 5;
    for (size_t n = 0; n < count; ++n) pattern += items[random() % items.size()] + repeats[random() % repeats.size()];
    const char* names[] = {"find", "find_from", "match", "gsub", "gsub_some", "gsub_call", "gmatch"};
    const char* name = names[random() % std::size(names)];

    const wire::Header headers[] = {{"name", name}, {"pattern", pattern}};
    Delivery delivery = world.command(subject);
    delivery.headers = headers;
    world.sink.verdicts.clear();
    world.handle({delivery});
    const std::string expected = own.run(name, subject, pattern);
    INFO(name << " '" << subject << "' '" << pattern << "'");
    // Ours refuses an unfinished capture always, LuaJIT's only where its text is asked for.
    if (world.sink.verdicts[0].text == "error: unfinished capture") continue;
    const bool both_refuse = expected.starts_with("error: ") && world.sink.verdicts[0].text.starts_with("error: ");
    if (!both_refuse) REQUIRE(world.sink.verdicts[0].text == expected);
    found += !expected.starts_with("error: ") && expected != "nil" && !expected.empty();
  }
  CHECK(found > 5'000);
}

TEST_CASE("a match asks from time to time whether to go on") {
  size_t asked = 0;
  const LuaMatch::Interrupt interrupt{[](void* count) { return ++*static_cast<size_t*>(count) == 3; }, &asked};
  const std::string subject(2000, 'a');
  LuaMatch match(subject, ".-.-.-.-.-.-b", LuaMatch::Caret::kAnchors, interrupt);
  size_t begin = 0;
  CHECK_FALSE(match.search(0, begin));
  CHECK(match.interrupted());
  CHECK(asked == 3);

  asked = 0;
  LuaMatch quick(subject, "^a+$", LuaMatch::Caret::kAnchors, interrupt);
  CHECK(quick.search(0, begin) == 2000);
  CHECK_FALSE(quick.interrupted());
  CHECK(asked == 0);
}

TEST_CASE("nesting that would use up the stack is refused") {
  const std::string subject(1000, 'a');
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "a?";
  LuaMatch match(subject, pattern, LuaMatch::Caret::kAnchors, {});
  size_t begin = 0;
  CHECK_FALSE(match.search(0, begin));
  CHECK(std::string(match.error()) == "pattern too complex");
}

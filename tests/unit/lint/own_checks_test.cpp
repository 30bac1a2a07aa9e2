#include "app/lint/own_checks.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::app;

namespace {

const KnownNames& names() {
  static const KnownNames known = *known_names();
  return known;
}

std::vector<Finding> check(std::vector<host::AppSource::File> files) {
  host::AppSource source;
  source.name = "test";
  source.files = std::move(files);
  return own_checks(source, names());
}
std::vector<Finding> check(const std::string& main) { return check({{"main.lua", main}}); }

}  // namespace

TEST_CASE("comments and texts are blanked out, and nothing moves") {
  CHECK(code_only("a --b\nc") == "a    \nc");
  CHECK(code_only("a = 'b\\'c' .. d") == "a =        .. d");
  CHECK(code_only("x [[y\nz]] w") == "x    \n    w");
  CHECK(code_only("--[==[ a ]] b\n]==] c") == "             \n     c");
  CHECK(code_only("t[1] - -2") == "t[1] - -2");
  CHECK(code_only("'open") == "     ");
  CHECK(code_only("[[open") == "      ");
}

TEST_CASE("what the VM has is known; names are of the module, of apps, or of specs") {
  CHECK(names().app.contains("string.format"));
  CHECK_FALSE(names().app.contains("io"));
  CHECK_FALSE(names().app.contains("describe"));
  CHECK(names().spec.contains("describe"));
  CHECK(names().api.contains("kv.get"));
  CHECK_FALSE(names().api.contains("kv.gett"));
}

TEST_CASE("a global is fine when it is the VM's, or declared at the top of any file") {
  CHECK(check("print(shared)").size() == 1);
  CHECK(check({{"main.lua", "print(shared)"}, {"lib/a.lua", "shared = 1"}}).empty());
  CHECK(check("shared = 1 return function() shared = 2 end").empty());
}

TEST_CASE("an accidental global is found once, with line and column") {
  const auto found = check("local function f()\n  counter = 1\n  return counter\nend\nreturn f");
  REQUIRE(found.size() == 1);
  CHECK(found[0].line == 2);
  CHECK(found[0].column == 3);
  CHECK(found[0].text.find("'counter' is assigned by accident") != std::string::npos);
}

TEST_CASE("assigning what is Lua's own is found") { CHECK(check("return function() print = nil end").size() == 1); }

TEST_CASE("specs may use what apps may not, and only they") {
  CHECK(check("describe('x', function() end)").size() == 1);
  CHECK(check({{"spec/a_spec.lua", "describe('x', function() end)"}}).empty());
}

TEST_CASE("names of gw are looked up where gw is the module, outside of texts and comments") {
  const std::string head = "local gw = require 'godwit'\n";
  CHECK(check(head + "gw.handle('x', gw.nothing)").at(0).text == "gw.nothing does not exist");
  CHECK(check(head + "gw.handle('x', gw.nothing)").at(0).column == 16);
  CHECK(check(head + "gw.kv.get('x') gw.info.app:len() -- gw.no\nlocal t = 'gw.no'").empty());
  CHECK(check("local gw = {} gw.nothing = 1").empty());
}

TEST_CASE("what does not parse says where") {
  const auto found = check("local x =\n\nend");
  REQUIRE(found.size() == 1);
  CHECK(found[0].file == "main.lua");
  CHECK(found[0].line == 3);
}

TEST_CASE("luacheck is told of every global") {
  const std::string config = luacheck_config(names());
  CHECK(config.find("string = {fields = {") != std::string::npos);
  CHECK(config.find("describe = {") != std::string::npos);
}

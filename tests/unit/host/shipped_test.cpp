#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "script_world.h"
#include "source_root.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

std::filesystem::path scripts() { return testing::source_root() / "scripts"; }

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// First groups of all matches.
std::set<std::string> all(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

std::set<std::string> words(const std::string& text) { return all(text, "(\\S+)"); }

}  // namespace

TEST_CASE("every shipped app loads and handles something") {
  const auto apps = find_apps(scripts());
  REQUIRE(apps);
  REQUIRE_FALSE(apps->empty());
  for (const auto& folder : *apps) {
    INFO(folder);
    ScriptWorld world;
    const auto source = read_app(folder, world.limits);
    REQUIRE(source);
    world.load(source->files);
    CHECK_FALSE(world.app->registrations().empty());
    CHECK(world.log.lines.empty());
    CHECK(std::filesystem::exists(folder / "README.md"));
  }
}

TEST_CASE("echo answers with the message's own body, whatever its kind") {
  ScriptWorld world;
  world.load(read_app(scripts() / "echo", world.limits)->files);
  REQUIRE(world.app->registrations().size() == 1);
  CHECK(world.app->registrations()[0].pattern == "echo");
  Delivery event = world.command("note");
  event.kind = wire::Kind::kEvent;
  world.handle({world.command(std::string_view("a\0b", 3))});
  world.sink.next_outcome = ReplyOutcome::kNotExpected;
  world.handle({event});
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[0].text == std::string("a\0b", 3));
  CHECK(world.sink.verdicts[1].what == KeptVerdicts::Verdict::What::kDone);
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("the handler of the scripts' page works as it is printed") {
  const std::string page = text_of(scripts() / "README.md");
  const size_t begin = page.find("```lua\n") + 7;
  const std::string code = page.substr(begin, page.find("```", begin) - begin);
  ScriptWorld world;
  world.load(ScriptWorld::Files{{"main.lua", code}});
  world.handle({world.command("Ada"), world.command("")});
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[0].text == "Good day, Ada");
  CHECK(world.sink.verdicts[1].code == Code::kActionInvalid);
}

TEST_CASE("the editor stubs and the scripts' page know what exists, and nothing else") {
  const std::string stubs = text_of(scripts() / "meta/godwit.lua");
  const std::string page = text_of(scripts() / "README.md");
  ScriptWorld world;
  const auto names_in = [&](const std::string& table) {
    return words(world.answer("local gw, names = require 'godwit', {} for name in pairs(" + table +
                              ") do names[#names + 1] = name end msg:reply(table.concat(names, ' '))"));
  };
  CHECK(all(stubs, "\n(?:function )?gw\\.(\\w+)(?: =|\\()") == names_in("gw"));
  CHECK(all(stubs, "\nfunction gw\\.log\\.(\\w+)") == names_in("gw.log"));
  CHECK(all(stubs, "class godwit.Info\n(?:---@field .*\n)*---@field (version)") == std::set<std::string>{"version"});
  for (const std::string& name : names_in("gw.info")) CHECK(stubs.find("---@field " + name + " ") != std::string::npos);
  for (const std::string& name : names_in("gw")) {
    INFO(name);
    CHECK(page.find("`gw." + name) != std::string::npos);
  }
  for (const std::string& name : all(stubs, "\nfunction Message:(\\w+)")) {
    INFO(name);
    CHECK(world.answer("msg:reply(type(msg." + name + "))") == "function");
    CHECK(page.find("`msg:" + name) != std::string::npos);
  }
  for (const char* name : {"kind", "action", "id", "headers"})
    CHECK(stubs.find("---@field " + std::string(name) + " ") != std::string::npos);
}

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "host/prelude.h"
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

/// The part of the prelude that is one file.
std::string prelude(std::string_view file) {
  REQUIRE_FALSE(prelude_text(file).empty());
  return std::string(prelude_text(file));
}

std::set<std::string> fields_of(const std::string& stubs, const std::string& type) {
  const std::string head = "---@class godwit." + type + "\n";
  const size_t begin = stubs.find(head);
  REQUIRE(begin != std::string::npos);
  const size_t end = stubs.find("\n\n", begin);
  return all(stubs.substr(begin, end - begin), "---@field (\\w+)");
}

enum class When { kLoading, kLive };

/// All options that a call takes, found by offering it every word of the prelude and of the stubs.
std::set<std::string> options_of(const std::string& call, const std::set<std::string>& candidates,
                                 When when = When::kLoading) {
  std::string list;
  for (const std::string& word : candidates) list += "'" + word + "',";
  ScriptWorld world;
  world.limits.burst_max = 5s;
  const std::string offer = "for _, word in ipairs {" + list +
                            "} do local options = { [word] = true } local ok, err = pcall(function() " + call +
                            " end) if ok or not tostring(err):find('unknown option', 1, true) then "
                            "taken[#taken + 1] = word end end ";
  const bool live = when == When::kLive;
  world.load("local taken = {} " + (live ? "" : offer) + "gw.handle('do.it', function(msg) " + (live ? offer : "") +
             "msg:reply(table.concat(taken, ' ')) end)");
  Delivery question = world.command("");
  question.handler = static_cast<uint32_t>(world.app->registrations().size() - 1);
  world.handle({question});
  REQUIRE(world.sink.verdicts.size() == 1);
  return words(world.sink.verdicts[0].text);
}

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

TEST_CASE("the stubs know every function of the tables of gw, and nothing else") {
  const std::string stubs = text_of(scripts() / "meta/godwit.lua");
  ScriptWorld world;
  for (const std::string& table : all(stubs, "\ngw\\.(\\w+) = \\{\\}")) {
    const std::string names = world.answer(
        "local gw, names = require 'godwit', {} for name, value in pairs(gw." + table +
        ") do if type(value) == 'function' then names[#names + 1] = name end end msg:reply(table.concat(names, ' '))");
    const size_t at = stubs.find("\ngw." + table + " = {}");
    const size_t begin = stubs.rfind("\n\n", at);
    const std::string block = stubs.substr(begin, at - begin);
    const bool codec = block.find("---@type godwit.TextCodec") != std::string::npos;
    std::set<std::string> known = codec ? fields_of(stubs, "TextCodec") : all(block, "---@field (\\w+) fun");
    known.merge(all(stubs, ("\nfunction gw\\." + table + "\\.(\\w+)").c_str()));
    INFO(table);
    CHECK(words(names) == known);
  }
}

TEST_CASE("the stubs know every method, and nothing else") {
  const std::string stubs = text_of(scripts() / "meta/godwit.lua");
  std::set<std::string> of_messages = all(prelude("message.lua"), "\nfunction methods\\.(\\w+)");
  for (const char* file : {"json.lua", "routes.lua"}) of_messages.merge(all(prelude(file), "message_methods\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Message:(\\w+)") == of_messages);
  CHECK(all(stubs, "\nfunction Session:(\\w+)") == all(prelude("sessions.lua"), "\nfunction methods\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Group:(\\w+)") == all(prelude("groups.lua"), "\nfunction methods\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Channel:(\\w+)") == all(prelude("sync.lua"), "\nfunction channel\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Semaphore:(\\w+)") == all(prelude("sync.lua"), "\nfunction semaphore\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Job:(\\w+)") == all(prelude("batch.lua"), "\nfunction methods\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Task:(\\w+)") == all(prelude("tasks.lua"), "\nfunction methods\\.(\\w+)"));
}

TEST_CASE("the stubs know every option, and nothing else") {
  const std::string stubs = text_of(scripts() / "meta/godwit.lua");
  std::set<std::string> candidates = all(stubs, "---@field (\\w+)");
  for (const char* file : {"api.lua", "timers.lua", "sessions.lua", "groups.lua", "batch.lua"})
    candidates.merge(all(prelude(file), "\\b([a-z]\\w+)\\b"));
  REQUIRE(candidates.size() > 300);
  CHECK(options_of("gw.handle('x.' .. word, print, options)", candidates) == fields_of(stubs, "HandleOptions"));
  CHECK(options_of("gw.every(1, print, options)", candidates) == fields_of(stubs, "TimerOptions"));
  CHECK(options_of("gw.cron('* * * * *', print, options)", candidates) == fields_of(stubs, "TimerOptions"));
  CHECK(options_of("gw.send('a', 'x', '', options)", candidates, When::kLive) == fields_of(stubs, "UserSendOptions"));
  CHECK(options_of("gw.batch({}, 'x', '', options)", candidates, When::kLive) == fields_of(stubs, "BatchOptions"));
  CHECK(options_of("gw.request('a', 'x', '', options)", candidates, When::kLive) == fields_of(stubs, "RequestOptions"));
  CHECK(options_of("gw.broadcast('x', '', options)", candidates, When::kLive) == fields_of(stubs, "BroadcastOptions"));
}

TEST_CASE("the stubs of specs know what specs are written with, and nothing else") {
  const std::string stubs = text_of(scripts() / "meta/spec.lua");
  const std::string spec = prelude("spec.lua");
  CHECK(all(stubs, "\nfunction (\\w+)\\(") == all(spec, "\nfunction globals\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction test\\.(\\w+)") == all(spec, "\nfunction test\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction Client:(\\w+)") == all(spec, "\nfunction methods\\.(\\w+)"));
  CHECK(all(stubs, "\nfunction assert\\.(\\w+)") == all(prelude("spec_assert.lua"), "\nfunction checks\\.(\\w+)"));
  CHECK(fields_of(stubs, "TestSession") ==
        all(all(spec, "kSession = \\{([^}]*)\\}").begin()->c_str(), "(\\w+) = true"));
}

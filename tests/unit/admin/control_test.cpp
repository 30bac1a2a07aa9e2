#include "admin/control.h"

#include <catch2/catch.hpp>
#include <optional>

using namespace godwit;
using namespace godwit::admin;

namespace {

class KeptLog : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kInfo; }
  void write(const LogRecord& record) override {
    std::string line(record.message);
    for (const LogField& field : record.fields) {
      const auto* text = std::get_if<std::string_view>(&field.value);
      line += " " + std::string(field.key) + "=" + (text ? std::string(*text) : "?");
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

/// A server with one script "chat" and one plugin "limit" that does what it is told when the test says so.
class FakeTarget : public ControlTarget {
 public:
  std::vector<UnitView> units() const override {
    return {{.kind = UnitView::Kind::kScript, .name = "chat", .generation = 2},
            {.kind = UnitView::Kind::kPlugin, .name = "plugin/limit", .generation = 1}};
  }
  void bindings(const std::string&, std::function<void(std::vector<BindingView>)> done) override {
    done({{"chat.say", "main.lua:3"}});
  }
  Status change(const std::string& unit, UnitChange change, std::function<void(ChangeReport)> done) override {
    if (unit == "ghost") return fail(Code::kUnitUnknown, unit);
    asked = change;
    asked_of = unit;
    waiting = std::move(done);
    return {};
  }
  Status reload_all(std::function<void(std::vector<ChangeReport>)> done) override {
    done({{.name = "chat", .outcome = "live", .succeeded = true},
          {.name = "limit", .outcome = "refused", .error = {Code::kScriptLoadFailed, "limit: no"}}});
    return {};
  }
  void commands(const std::string&, std::function<void(std::vector<CommandView>)> done) override {
    done({{"kick", "Ends a session.", "ID"}});
  }
  std::vector<SessionView> sessions(const SessionQuery& query) const override {
    if (query.by.empty()) return {{.key = 7, .client_id = "phone", .uid = "ada"}, {.key = 9, .client_id = "tablet"}};
    return {{.key = 7, .client_id = "phone", .uid = "ada"}};
  }
  Result<size_t> kick(const SessionQuery& query) override { return query.name == "ada" ? 2 : 0; }
  Result<bool> revoke(const SessionQuery& query) override {
    if (query.by != "uid") return fail(Code::kUsageInvalid, "no");
    return true;
  }
  Status run_command(const std::string&, uint32_t worker, const std::string& command,
                     const std::vector<std::string>& arguments,
                     std::function<void(Result<std::string>)> done) override {
    if (worker > 1) return fail(Code::kUsageInvalid, "no such worker");
    if (command != "kick") {
      done(fail(Code::kCommandUnknown, "it has: kick"));
    } else {
      running = [done, arguments] { done("{\"kicked\":" + std::to_string(arguments.size()) + "}"); };
    }
    return {};
  }
  bool eval_allowed() const override { return allowed; }
  Status eval(const std::string&, uint32_t worker, const std::string& text,
              std::function<void(Result<std::string>)> done) override {
    done(text + " on " + std::to_string(worker));
    return {};
  }

  bool allowed = false;
  std::optional<UnitChange> asked;
  std::string asked_of;
  std::function<void(ChangeReport)> waiting;
  std::function<void()> running;
};

struct ControlWorld {
  KeptLog log;
  FakeTarget target;
  Control control{target, Log(log, "admin")};
  std::vector<std::string> answers;

  std::string ask(std::string_view line) {
    answers.clear();
    control.handle({1000, 77}, line, [this](const std::string& answer) { answers.push_back(answer); });
    return answers.empty() ? "" : answers.front();
  }
};

}  // namespace

TEST_CASE("lists hold the units of their own kind") {
  ControlWorld world;
  CHECK(world.ask(R"({"verb":"script.ls"})").find(R"("name":"chat")") != std::string::npos);
  CHECK(world.ask(R"({"verb":"script.ls"})").find("limit") == std::string::npos);
  CHECK(world.ask(R"({"verb":"plugin.ls"})").find("limit") != std::string::npos);
  CHECK(world.ask(R"({"verb":"script.show","name":"chat"})").find("main.lua:3") != std::string::npos);
  CHECK(world.ask(R"({"verb":"plugin.show","name":"chat"})").find("UnitUnknown") != std::string::npos);
  CHECK(world.log.lines.empty());
}

TEST_CASE("a change is answered when its outcome is known, with what each worker said, and is in the log") {
  ControlWorld world;
  CHECK(world.ask(R"({"verb":"script.reload","name":"chat"})").empty());
  CHECK(world.target.asked == UnitChange::kReload);
  CHECK(world.log.lines.empty());
  world.target.waiting({.name = "chat",
                        .outcome = "refused",
                        .generation = 2,
                        .tried = 3,
                        .error = {Code::kScriptLoadFailed, "chat/main.lua:7: no"},
                        .workers = {{}, fail(Code::kScriptLoadFailed, "chat/main.lua:7: no")}});
  REQUIRE(world.answers.size() == 1);
  CHECK(world.answers[0] ==
        R"({"ok":false,"error":{"code":5002,"name":"ScriptLoadFailed","text":"chat/main.lua:7: no"},)"
        R"("result":{"name":"chat","outcome":"refused","generation":2,"tried":3,)"
        R"("error":{"code":5002,"name":"ScriptLoadFailed","text":"chat/main.lua:7: no"},)"
        R"("workers":[{"worker":0,"ok":true},)"
        R"({"worker":1,"ok":false,"error":{"code":5002,"name":"ScriptLoadFailed","text":"chat/main.lua:7: no"}}]}})");
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0] == "admin request verb=script.reload name=chat outcome=refused uid=? pid=?");
}

TEST_CASE(
    "reload finds scripts and plugins by the same short name, and what is not there is asked for as it was typed") {
  ControlWorld world;
  for (const auto& [typed, meant] : {std::pair("chat", "chat"), std::pair("limit", "plugin/limit"),
                                     std::pair("plugin/limit", "plugin/limit"), std::pair("new", "new")}) {
    CHECK(world.ask(R"({"verb":"reload","name":")" + std::string(typed) + "\"}").empty());
    CHECK(world.target.asked_of == meant);
  }
}

TEST_CASE("each verb asks for its own change") {
  ControlWorld world;
  const std::pair<const char*, UnitChange> verbs[] = {
      {"script.rollback", UnitChange::kRollback}, {"script.enable", UnitChange::kEnable},
      {"script.disable", UnitChange::kDisable},   {"plugin.load", UnitChange::kReload},
      {"plugin.reload", UnitChange::kReload},     {"reload", UnitChange::kReload}};
  for (const auto& [verb, change] : verbs) {
    world.target.asked.reset();
    world.ask(std::string(R"({"name":"new","verb":")") + verb + "\"}");
    CHECK(world.target.asked == change);
  }
}

TEST_CASE("a name of the other kind, or of nobody, changes nothing") {
  ControlWorld world;
  CHECK(world.ask(R"({"verb":"script.disable","name":"plugin/limit"})").find("limit is a plugin") != std::string::npos);
  CHECK(world.ask(R"({"verb":"script.disable","name":"ghost"})").find("UnitUnknown") != std::string::npos);
  CHECK_FALSE(world.target.asked);
}

TEST_CASE("a reload of everything fails when one unit does, and tells of all") {
  ControlWorld world;
  const std::string answer = world.ask(R"({"verb":"reload"})");
  CHECK(answer.starts_with(R"({"ok":false,"error":{"code":5002,"name":"ScriptLoadFailed","text":"limit: no"})"));
  CHECK(answer.find(R"("name":"chat")") != std::string::npos);
}

TEST_CASE("what is typed runs only when that is allowed, and is in the log either way") {
  ControlWorld world;
  const char* line = R"({"verb":"script.eval","name":"chat","text":"1 + 1","worker":3})";
  CHECK(world.ask(line).find("Forbidden") != std::string::npos);
  world.target.allowed = true;
  CHECK(world.ask(line) == R"({"ok":true,"result":"1 + 1 on 3"})");
  REQUIRE(world.log.lines.size() == 2);
  CHECK(world.log.lines[0].find("outcome=Forbidden") != std::string::npos);
  CHECK(world.log.lines[1].find("text=1 + 1") != std::string::npos);
  const size_t hash = world.log.lines[0].find("sha256=");
  REQUIRE(hash != std::string::npos);
  CHECK(world.log.lines[1].find(world.log.lines[0].substr(hash, 71)) != std::string::npos);
}

TEST_CASE("what is no request is refused as such") {
  ControlWorld world;
  for (const std::string_view line :
       {"", "x", "[]", "7", R"({})", R"({"verb":7})", R"({"verb":"script"})", R"({"verb":"script.explode"})",
        R"({"verb":"plugin.eval","name":"limit"})", R"({"verb":"script.ls","name":[]})",
        R"({"verb":"script.eval","worker":-1})", "\xff"}) {
    INFO(line);
    CHECK(world.ask(line).find("UsageInvalid") != std::string::npos);
  }
}

TEST_CASE("a command is answered when it has ended, and the log keeps who called it with what") {
  ControlWorld world;
  CHECK(world.ask(R"({"verb":"script.commands","name":"chat"})") ==
        R"({"ok":true,"result":[{"name":"kick","args":"ID","help":"Ends a session."}]})");
  CHECK(world.log.lines.empty());
  const std::string call = R"({"verb":"script.run","name":"chat","command":"kick","arguments":["a","b"]})";
  CHECK(world.ask(call).empty());
  CHECK(world.log.lines.empty());
  world.target.running();
  CHECK(world.answers == std::vector<std::string>{R"({"ok":true,"result":{"kicked":2}})"});
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0].find("verb=script.run name=chat outcome=ok") != std::string::npos);
  CHECK(world.log.lines[0].find("command=kick a b") != std::string::npos);
}

TEST_CASE("what was refused is kept as well: commands, evals and changes of what is not there") {
  ControlWorld world;
  world.target.allowed = true;
  const std::pair<const char*, const char*> requests[] = {
      {R"({"verb":"script.run","name":"chat","command":"cick"})", "CommandUnknown"},
      {R"({"verb":"script.run","name":"chat","command":"kick","worker":7})", "UsageInvalid"},
      {R"({"verb":"script.run","name":"nobody","command":"kick"})", "UnitUnknown"},
      {R"({"verb":"script.eval","name":"nobody","text":"1"})", "UnitUnknown"},
      {R"({"verb":"script.reload","name":"plugin/limit"})", "UnitUnknown"},
      {R"({"verb":"script.reload","name":"ghost"})", "UnitUnknown"}};
  for (const auto& [request, code] : requests) {
    INFO(request);
    world.log.lines.clear();
    CHECK(world.ask(request).find(code) != std::string::npos);
    REQUIRE(world.log.lines.size() == 1);
    CHECK(world.log.lines[0].find(std::string("outcome=") + code) != std::string::npos);
  }
  CHECK(world.ask(R"({"verb":"script.run","name":"chat","arguments":[1]})").find("arguments are strings") !=
        std::string::npos);
}

TEST_CASE("sessions are listed, ended and revoked, and who did it is in the log") {
  ControlWorld world;
  CHECK(world.ask(R"({"verb":"session.ls"})").find(R"("session":9,"client":"tablet")") != std::string::npos);
  CHECK(world.ask(R"({"verb":"session.ls","by":"uid","name":"ada"})").find("tablet") == std::string::npos);
  CHECK(world.log.lines.empty());
  CHECK(world.ask(R"({"verb":"session.kick","by":"uid","name":"ada"})") == R"({"ok":true,"result":{"ended":2}})");
  CHECK(world.log.lines.back() == "admin request verb=session.kick name=ada outcome=2 by uid uid=? pid=?");
  CHECK(world.ask(R"({"verb":"session.kick"})").find("UsageInvalid") != std::string::npos);
  CHECK(world.ask(R"({"verb":"session.revoke","by":"uid","name":"ada"})") == R"({"ok":true,"result":{"kept":true}})");
  CHECK(world.ask(R"({"verb":"session.revoke","by":"fate","name":"ada"})").find("UsageInvalid") != std::string::npos);
  CHECK(world.log.lines.size() == 4);
}

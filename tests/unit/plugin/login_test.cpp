#include <godwit/plugin_test.h>

#include <deque>

#include "plugin_world.h"
#include "session/identity.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// The doorman, who says later who may come in, and a client that asks.
struct Door : PluginWorld {
  Door() { load(built("doorman.so")); }
  /// What it hears: nothing yet, the uid, or the code of the refusal.
  std::string& ask(const std::string& token, Duration time = 5s) {
    std::string& heard = answers.emplace_back();
    const session::Credentials credentials{.client_id = "device-7", .token = token, .deadline = clock.now() + time};
    app->authenticator()->authenticate(credentials, [&heard](const Result<session::Identity>& identity) {
      CHECK(heard.empty());
      heard = identity ? identity->uid + " on " + identity->client_id : name_of(identity.error().code);
    });
    return heard;
  }
  std::string later(const std::string& token) {
    const std::string& heard = ask(token);
    advance(0s);
    CHECK(heard == "");
    CHECK(app->pins() == 1);
    advance(100ms);
    app->run_ready(sink);
    CHECK(app->pins() == 0);
    return heard;
  }
  /// What the last words of the doorman about a client were answered.
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const KeptLog::Line& line : log.lines) {
      if (line.text.starts_with("told ")) lines.push_back(line.text.substr(5));
    }
    return lines;
  }
  std::deque<std::string> answers;
};

}  // namespace

TEST_CASE("a plugin says later who may come in, and keeps its generation until then") {
  Door door;
  CHECK(door.later("good") == "ada on device-7");
  CHECK(door.later("bad") == "Forbidden");
  CHECK(door.later("unknown") == "NotFound");
  CHECK(door.later("no name") == "ada on device-7");
  CHECK(door.told() == std::vector<std::string>{"0", "0", "0", std::to_string(GW_ERROR_ARGUMENT_INVALID), "0"});
}

TEST_CASE("a plugin may decide at once though it might have waited; nobody hears it from within the plugin") {
  Door door;
  const std::string& heard = door.ask("at once");
  CHECK(heard == "");
  door.app->run_ready(door.sink);
  CHECK(heard == "ada on device-7");
}

TEST_CASE("the first decision about a client counts, the second is stale") {
  Door door;
  CHECK(door.later("twice") == "ada on device-7");
  CHECK(door.told() == std::vector<std::string>{"0", std::to_string(GW_ERROR_STALE)});
}

TEST_CASE("a plugin that fails lets nobody in, and its failure is counted and none of the client's business") {
  Door door;
  CHECK(door.later("broken later") == "Unauthenticated");
  CHECK(door.app->stats().errors == 1);
  CHECK(door.log.find("plugin failed to decide who may come in"));
  const std::string& heard = door.ask("broken");
  door.app->run_ready(door.sink);
  CHECK(heard == "Unauthenticated");
  CHECK(door.app->stats().errors == 2);
}

TEST_CASE("when the time of a client is over nobody waits for the plugin, and a decision is stale") {
  Door door;
  const std::string& heard = door.ask("late", 1s);
  door.advance(100ms);
  CHECK(door.app->pins() == 1);
  door.advance(899ms);
  CHECK(door.app->pins() == 1);
  door.advance(1ms);
  CHECK(door.app->pins() == 0);
  door.ask("wake");
  door.advance(100ms);
  CHECK(door.told() == std::vector<std::string>{std::to_string(GW_ERROR_STALE)});
  CHECK(heard == "");  // the server has refused it meanwhile
}

TEST_CASE("a generation whose time to finish is over refuses those who wait for it") {
  Door door;
  const std::string& heard = door.ask("late");
  door.app->retire();
  door.app->cancel(Code::kScriptRetired, door.sink);
  CHECK(heard == "Unauthenticated");
  CHECK(door.app->pins() == 0);
}

TEST_CASE("so many clients may wait for one plugin and no more") {
  Door door;
  for (int i = 0; i < 10'000; ++i) door.ask("late");
  door.app->run_ready(door.sink);
  CHECK(door.answers.back() == "");
  CHECK(door.ask("late") == "Unauthenticated");
  CHECK(door.app->pins() == 10'000);
}

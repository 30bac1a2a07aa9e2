#include <godwit/plugin_test.h>

#include <catch2/catch.hpp>
#include <string>

namespace {

std::string built(const std::string& name) { return std::string(BUILT_PLUGINS) + "/" + name + ".so"; }
std::string shipped(const std::string& name) { return std::string(SHIPPED_PLUGINS) + "/" + name + ".so"; }

struct Test {
  ~Test() { gw_test_free(raw); }
  gw_status load(const std::string& file) { return gw_test_load(raw, file.c_str()); }
  const gw_test_verdict& send(const char* action, const std::string& body = {}, int kind = GW_COMMAND) {
    return *gw_test_send(raw, kind, action, body.data(), body.size());
  }
  std::string answer(const char* action, const std::string& body = {}) {
    const gw_test_verdict& verdict = send(action, body);
    return verdict.outcome == GW_TEST_REPLIED
               ? std::string(reinterpret_cast<const char*>(verdict.body), verdict.body_size)
               : "outcome " + std::to_string(verdict.outcome);
  }
  std::string log() const {
    std::string all;
    for (size_t i = 0; const char* line = gw_test_log(raw, i); ++i) all.append(line).append("\n");
    return all;
  }
  gw_test* raw = gw_test_new();
};

}  // namespace

TEST_CASE("what is no plugin is not loaded, and why is told") {
  Test test;
  CHECK(test.load("/nowhere.so") == GW_ERROR_PLUGIN_FAILED);
  CHECK(std::string(gw_test_error(test.raw)).find("/nowhere.so") != std::string::npos);
  Test other;
  CHECK(other.load(built("no_symbol")) == GW_ERROR_PLUGIN_FAILED);
  CHECK(std::string(gw_test_error(other.raw)) == "it exports no godwit_plugin");
}

TEST_CASE("messages reach the pattern they match, and each outcome can be told from the others") {
  Test test;
  REQUIRE(test.load(built("fixture")) == GW_OK);
  CHECK(std::string(gw_test_pattern(test.raw, 0)) == "test.*");
  CHECK(gw_test_pattern(test.raw, 2) == nullptr);
  CHECK(test.answer("test.echo", "x") == "x");
  CHECK(test.send("nobody").outcome == GW_TEST_NOBODY);
  CHECK(test.send("test.deep.er").outcome == GW_TEST_NOBODY);
  CHECK(test.send("test.silent").outcome == GW_TEST_TAKEN);
  CHECK(test.send("test.refuse").status == GW_ERROR_FORBIDDEN);
  CHECK(std::string(test.send("test.refuse").text) == "not for you");
  CHECK(test.send("test.break").status == GW_ERROR_PLUGIN_FAILED);
  CHECK(test.send("other.a.b", "", GW_EVENT).outcome == GW_TEST_TAKEN);
  CHECK(test.send("other.a.b", "", GW_COMMAND).outcome == GW_TEST_NOBODY);
  gw_test_sender(test.raw, 9, "device", "grace");
  CHECK(test.answer("test.who") == "grace");
  gw_test_header(test.raw, "a", "1");
  const gw_test_verdict& echoed = test.send("test.echo");
  REQUIRE(echoed.header_count == 1);
  CHECK(std::string(echoed.headers[0].value.data, echoed.headers[0].value.size) == "1");
}

TEST_CASE("a plugin that fails to be created says why, and may be tried again with another configuration") {
  Test test;
  gw_test_set_integer(test.raw, "action", 1);
  CHECK(test.load(shipped("echo")) == GW_ERROR_ARGUMENT_INVALID);
  CHECK(test.log() == "error config.action is a text, such as \"plugin.echo\"\n");
  gw_test_set_text(test.raw, "action", "mirror");
  REQUIRE(test.load(shipped("echo")) == GW_OK);
  CHECK(test.answer("mirror", "x") == "x");
}

TEST_CASE("time stands still until it is moved") {
  Test test;
  gw_test_set_integer(test.raw, "per_second", 1);
  REQUIRE(test.load(shipped("rate_limit")) == GW_OK);
  CHECK(test.send("rate.take").outcome == GW_TEST_REPLIED);
  CHECK(test.send("rate.take").status == GW_ERROR_LIMIT);
  gw_test_advance(test.raw, 999'999'999);
  CHECK(test.send("rate.take").status == GW_ERROR_LIMIT);
  gw_test_advance(test.raw, 1);
  CHECK(test.send("rate.take").outcome == GW_TEST_REPLIED);
}

TEST_CASE("deferred messages are answered by timers, posts and work, once time has passed") {
  Test test;
  REQUIRE(test.load(built("fixture")) == GW_OK);
  const gw_test_verdict& later = test.send("test.later");
  const gw_test_verdict& work = test.send("test.work");
  const gw_test_verdict& post = test.send("test.post");
  CHECK(later.outcome == GW_TEST_DEFERRED);
  CHECK(work.outcome == GW_TEST_DEFERRED);
  CHECK(post.outcome == GW_TEST_DEFERRED);
  gw_test_advance(test.raw, 0);
  CHECK(later.outcome == GW_TEST_DEFERRED);
  CHECK(work.outcome == GW_TEST_REPLIED);
  CHECK(post.outcome == GW_TEST_REPLIED);
  gw_test_advance(test.raw, 50'000'000);
  CHECK(later.outcome == GW_TEST_REPLIED);
  test.answer("test.tick");
  gw_test_advance(test.raw, 10'500);
  CHECK(gw_test_metric(test.raw, "ticks") == 10);
}

TEST_CASE("a reload hands the state over, and keeps the old instance when the new one refuses it") {
  Test test;
  REQUIRE(test.load(built("fixture")) == GW_OK);
  CHECK(test.answer("test.count") == "1");
  REQUIRE(gw_test_reload(test.raw) == GW_OK);
  CHECK(test.answer("test.count") == "2");
  CHECK(test.log() == "info destroyed\n");
  Test thrower;
  REQUIRE(thrower.load(built("thrower")) == GW_OK);
  CHECK(gw_test_reload(thrower.raw) == GW_ERROR_PLUGIN_FAILED);
  CHECK(thrower.answer("throw.nothing") == "calm");
}

TEST_CASE("routers, auth plugins and strategies can be asked") {
  Test router;
  gw_test_set_text(router.raw, "strip", "v1");
  REQUIRE(router.load(shipped("route_prefix")) == GW_OK);
  CHECK(std::string(gw_test_route(router.raw, GW_COMMAND, "v1.chat")) == "chat");
  Test auth;
  gw_test_set_text(auth.raw, "users.0.uid", "ada");
  gw_test_set_text(auth.raw, "users.0.token", "correct-horse-battery");
  REQUIRE(auth.load(shipped("auth_token")) == GW_OK);
  const char* uid = nullptr;
  CHECK(gw_test_authenticate(auth.raw, "device", nullptr, "correct-horse-battery", &uid) == GW_OK);
  CHECK(std::string(uid) == "ada");
  CHECK(gw_test_authenticate(auth.raw, "device", nullptr, "wrong", &uid) == GW_ERROR_NOT_FOUND);
  CHECK(gw_test_authenticate(router.raw, "device", nullptr, "x", &uid) == GW_ERROR_NOT_SUPPORTED);
}

TEST_CASE("size_default plans by class, loss, memory and content") {
  Test test;
  REQUIRE(test.load(shipped("size_default")) == GW_OK);
  const auto plan = [&](gw_strategy_question question) {
    question.struct_size = sizeof question;
    gw_strategy_plan out;
    REQUIRE(gw_test_plan(test.raw, &question, &out) == GW_OK);
    return out;
  };
  CHECK(plan({.body_bytes = 0}).size_class == GW_SIZE_TINY);
  CHECK(plan({.body_bytes = 1023}).size_class == GW_SIZE_TINY);
  CHECK(plan({.body_bytes = 1024}).size_class == GW_SIZE_SMALL);
  CHECK_FALSE(plan({.body_bytes = 65'535}).own_stream);
  CHECK(plan({.body_bytes = 65'536}).own_stream);
  CHECK(plan({.body_bytes = 1 << 20}).size_class == GW_SIZE_LARGE);
  CHECK(plan({.body_bytes = 200 << 20}).size_class == GW_SIZE_HUGE);
  CHECK(plan({.body_bytes = GW_SIZE_UNKNOWN}).size_class == GW_SIZE_MEDIUM);
  const gw_strategy_plan calm = plan({.body_bytes = 10 << 20});
  const gw_strategy_plan lossy = plan({.body_bytes = 10 << 20, .loss = 0.05});
  CHECK(calm.streams == 4);
  CHECK(lossy.streams == 1);
  CHECK(lossy.chunk_bytes < calm.chunk_bytes);
  CHECK(plan({.memory_level = 3, .body_bytes = 10 << 20}).buffer_bytes == calm.buffer_bytes / 8);
  const std::string text(4096, 'x');
  const gw_bytes sample = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  CHECK(plan({.body_bytes = 1 << 19, .sample = sample}).compress);
  CHECK_FALSE(plan({.body_bytes = 1 << 19}).compress);
}

TEST_CASE("sessions, groups and values are played, and what was sent can be looked at and answered") {
  Test test;
  REQUIRE(test.load(built("social")) == GW_OK);
  CHECK(test.answer("social.who") == "test-client test-user");
  CHECK(test.answer("social.attributes") == "none good none");
  CHECK(test.answer("social.groups") == "010");
  CHECK(test.answer("social.stranger") == "5007 5007 0");
  CHECK(test.answer("social.values") == "0 5007 0 four 0");
  CHECK(test.answer("social.early") == "5110");

  CHECK(gw_test_sent_at(test.raw, 0) == nullptr);
  CHECK(test.answer("social.shout", "hear") == "0");
  const gw_test_sent* shouted = gw_test_sent_at(test.raw, 0);
  REQUIRE(shouted != nullptr);
  CHECK(shouted->session == 0);
  CHECK(shouted->except == 1);
  CHECK(std::string(shouted->action) == "shouted");
  CHECK_FALSE(shouted->waits);

  const gw_test_verdict& asked = test.send("social.ask", "how?");
  const gw_test_sent* question = gw_test_sent_at(test.raw, 1);
  REQUIRE(question != nullptr);
  CHECK(question->kind == GW_COMMAND);
  CHECK(question->waits);
  CHECK(asked.outcome == GW_TEST_DEFERRED);
  gw_test_answer(test.raw, 1, GW_OK, "so", 2);
  CHECK(asked.outcome == GW_TEST_REPLIED);
  CHECK(std::string(reinterpret_cast<const char*>(asked.body), asked.body_size) == "0 so");
  gw_test_answer(test.raw, 1, GW_OK, "again", 5);
  CHECK_FALSE(question->waits);

  CHECK(gw_test_connected(test.raw, 1));
  test.send("social.kick");
  CHECK_FALSE(gw_test_connected(test.raw, 1));
}

TEST_CASE("named values outlive a reload, and who waits hears that it comes to nothing") {
  Test test;
  REQUIRE(test.load(built("social")) == GW_OK);
  CHECK(test.answer("social.count") == "1");
  const gw_test_verdict& poked = test.send("social.poke");
  CHECK(poked.outcome == GW_TEST_DEFERRED);
  CHECK(gw_test_reload(test.raw) == GW_OK);
  CHECK(poked.outcome == GW_TEST_REPLIED);
  CHECK(std::string(reinterpret_cast<const char*>(poked.body), poked.body_size) == "4006 ");
  CHECK(test.answer("social.count") == "2");
}

TEST_CASE("a plugin under test may put off whom it lets in, as in a server") {
  Test test;
  REQUIRE(test.load(built("doorman")) == GW_OK);
  const char* uid = nullptr;
  const auto ask = [&](const char* token) { return gw_test_authenticate(test.raw, "device", "", token, &uid); };
  CHECK(ask("good") == GW_TEST_UNDECIDED);
  gw_test_advance(test.raw, 99'000'000);
  CHECK(gw_test_decision(test.raw, &uid) == GW_TEST_UNDECIDED);
  gw_test_advance(test.raw, 1'000'000);
  CHECK(gw_test_decision(test.raw, &uid) == GW_OK);
  CHECK(std::string(uid) == "ada");
  CHECK(ask("at once") == GW_OK);
  CHECK(ask("broken") == GW_ERROR_PLUGIN_FAILED);
  CHECK(ask("unknown") == GW_TEST_UNDECIDED);
  gw_test_advance(test.raw, 100'000'000);
  CHECK(gw_test_decision(test.raw, nullptr) == GW_ERROR_NOT_FOUND);
  CHECK(ask("late") == GW_TEST_UNDECIDED);
  gw_test_advance(test.raw, 5'000'000'000);
  CHECK(gw_test_decision(test.raw, nullptr) == GW_ERROR_UNAUTHENTICATED);
}

TEST_CASE("a deferred message may be withdrawn, and what is bound to a response is kept with its place") {
  Test test;
  REQUIRE(test.load(built("fixture")) == GW_OK);
  const gw_test_verdict& deferred = test.send("test.defer");
  REQUIRE(deferred.outcome == GW_TEST_DEFERRED);
  CHECK(test.answer("test.kept") == "1");
  gw_test_cancel(test.raw, &deferred);
  CHECK(deferred.outcome == GW_TEST_CANCELLED);
  CHECK(test.answer("test.kept") == "0");
  CHECK(test.answer("test.notify", "x") == "0");
  CHECK(gw_test_sent_at(test.raw, 0)->place == GW_BEFORE_RESPONSE);
  CHECK(gw_test_sent_at(test.raw, 1)->place == GW_AFTER_RESPONSE);
  CHECK(gw_test_sent_at(test.raw, 2) == nullptr);
  CHECK(test.answer("test.kept") == "1");  // the message before that is over: stale
}

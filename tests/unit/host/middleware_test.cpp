#include "base/metric_store.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// What became of messages, in their order: what was replied, or "Code: text".
struct Layered : ScriptWorld {
  explicit Layered(const std::string& layer, const std::string& handler = "msg:reply(msg:body())") {
    metrics = &store;
    load("gw.use(" + layer + ") gw.handle('do.it', function(msg, session) " + handler + " end)");
  }
  std::string send(std::string_view body = "hello") {
    sink.verdicts.clear();
    handle({command(body)});
    return verdict();
  }
  std::string verdict() {
    if (sink.verdicts.empty()) return "none yet";
    REQUIRE(sink.verdicts.size() == 1);
    const KeptVerdicts::Verdict& one = sink.verdicts[0];
    return one.what == KeptVerdicts::Verdict::What::kFailure ? name_of(one.code) + ": " + one.text : one.text;
  }
  MetricStore store{4};
};

}  // namespace

TEST_CASE("middleware logs what was handled, and a failure is logged as ever") {
  Layered world("gw.middleware.log { level = 'warn' }",
                "if msg:body() == 'bad' then error('broken') end msg:reply('')");
  world.send("bad");
  CHECK_FALSE(world.log.find("handled"));
  CHECK(world.log.find("handler failed"));
  world.send();
  REQUIRE(world.log.find("handled"));
  CHECK(world.log.find("handled")->level == LogLevel::kWarn);
  CHECK(world.log.find("handled")->fields.at("action") == "do.it");
  CHECK(world.log.find("handled")->fields.at("client") == "device-7");
}

TEST_CASE("what a handler raises can be answered otherwise, and goes on when nobody does") {
  Layered world(
      "gw.middleware.recover(function(msg, err) if msg:body() ~= 'hidden' then msg:fail('Forbidden', 'no') end end)",
      "if msg:body() == 'fine' then return msg:reply('fine') end error('broken')");
  CHECK(world.send("fine") == "fine");
  CHECK(world.send("bad") == "Forbidden: no");
  CHECK_FALSE(world.log.find("handler failed"));
  CHECK(world.send("hidden") == "HandlerFailed: test@1: handler failed");
  CHECK(world.log.find("handler failed"));
}

TEST_CASE("what takes longer than middleware allows is cancelled, and its message fails") {
  Layered world("gw.middleware.timeout('1s')", "gw.sleep(tonumber(msg:body())) gw.log.info('done') msg:reply('slept')");
  CHECK(world.send("0.5") == "none yet");
  world.pass(0s);
  world.pass(600ms);
  CHECK(world.verdict() == "slept");
  world.log.lines.clear();
  CHECK(world.send("5") == "none yet");
  world.pass(0s);
  world.pass(900ms);
  CHECK(world.verdict() == "none yet");
  world.pass(200ms);
  CHECK(world.verdict() == "DeadlineExceeded: its handler took longer than 1 s");
  world.pass(10s);
  CHECK_FALSE(world.log.find("done"));
  CHECK(world.app->pins() == 0);
  CHECK(world.send("nonsense") == "none yet");
  world.pass(0s);
  world.pass(1s);
  CHECK(world.verdict().substr(0, 13) == "HandlerFailed");
}

TEST_CASE("middleware counts messages by action and result") {
  Layered world("gw.middleware.metrics { prefix = 'm' }", "if msg:body() == 'bad' then error('x') end msg:reply('')");
  world.send();
  world.send();
  world.send("bad");
  std::map<std::string, double> counts;
  for (const MetricStore::View& view : world.store.views()) {
    for (const MetricSample& sample : view.metric->samples()) {
      std::string name = view.metric->declaration().name;
      for (const std::string& label : sample.labels) name += " " + label;
      counts[name] = view.metric->declaration().type == MetricType::kHistogram
                         ? static_cast<double>(sample.buckets.back())
                         : sample.value;
    }
  }
  CHECK(counts == std::map<std::string, double>{
                      {"m_total do.it handled", 2}, {"m_total do.it failed", 1}, {"m_seconds do.it", 3}});
}

TEST_CASE("beyond its rate a session is told when to come again, and others are not kept from coming") {
  Layered world("gw.middleware.rate_limit { per_second = 2, burst = 3 }");
  for (int i = 0; i < 3; ++i) CHECK(world.send() == "hello");
  CHECK(world.send() == "RateLimited: slow down");
  CHECK(world.sink.verdicts[0].retry_after == 500ms);
  world.session.id = 8;
  CHECK(world.send() == "hello");
  world.session.id = 7;
  world.pass(499ms);
  CHECK(world.send() == "RateLimited: slow down");
  world.pass(1ms);
  CHECK(world.send() == "hello");
  world.pass(1h);
  for (int i = 0; i < 3; ++i) CHECK(world.send() == "hello");
  CHECK(world.send() == "RateLimited: slow down");
}

TEST_CASE("a rate may be that of a user's sessions together, or of the whole app") {
  for (const auto& [by, expected] :
       {std::pair("uid", "RateLimited: slow down"), {"session", "hello"}, {"app", "RateLimited: slow down"}}) {
    Layered world("gw.middleware.rate_limit { per_second = 1, by = '" + std::string(by) + "' }");
    CHECK(world.send() == "hello");
    world.session.id = 8;
    CHECK(world.send() == expected);
    world.session.uid = "grace";
    CHECK(world.send() == (std::string(by) == "uid" ? "hello" : "RateLimited: slow down"));
  }
}

TEST_CASE("sessions that come and go do not fill the memory of a rate") {
  Layered world("gw.middleware.rate_limit { per_second = 1 }");
  for (uint64_t id = 1; id <= 30'000; ++id) {
    world.session.id = id;
    CHECK(world.send() == "hello");
  }
  CHECK(world.app->stats().memory_bytes < 8 << 20);
}

TEST_CASE("bodies are held against what was said of them") {
  Layered world("gw.middleware.validate { ['do.it'] = { amount = 'number', note = 'string?' } }");
  CHECK(world.send(R"({"amount":1})") == R"({"amount":1})");
  CHECK(world.send(R"({"amount":1,"note":null})") == R"({"amount":1,"note":null})");
  CHECK(world.send(R"({"note":"x"})") == "BodyInvalid: 'amount' is missing");
  CHECK(world.send(R"({"amount":1,"note":2})") == "BodyInvalid: 'note' must be a string, got number");
  CHECK(world.send("7") == "BodyInvalid: expected a JSON object");
  CHECK(world.send("{").substr(0, 11) == "BodyInvalid");
  Layered other("gw.middleware.validate(function(msg) if msg:body() == '' then return 'nothing in it' end end)");
  CHECK(other.send("x") == "x");
  CHECK(other.send("") == "BodyInvalid: nothing in it");
  Layered elsewhere("gw.middleware.validate { ['another'] = { amount = 'number' } }");
  CHECK(elsewhere.send("x") == "x");
}

TEST_CASE("errors that may pass are tried again, and no others") {
  ScriptWorld world;
  world.load(
      "local tries = 0 gw.use(gw.middleware.retry { attempts = 3, delay = '1s' }) gw.handle('do.it', function(msg) "
      "local wanted = msg:body() if wanted == 'tries' then msg:reply(tries) tries = 0 return end tries = tries + 1 "
      "if wanted == 'third' and tries == 3 then return msg:reply('at last') end "
      "if wanted == 'answered' then msg:reply('early') end if wanted == 'mistake' then error('mistake') end "
      "if wanted == 'final' then error(gw.err('Forbidden')) end error(gw.err('QueueFull')) end)");
  const auto send = [&](std::string_view body) {
    world.sink.verdicts.clear();
    world.handle({world.command(body)});
  };
  const auto heard = [&] { return world.sink.verdicts.empty() ? "" : name_of(world.sink.verdicts[0].code); };
  send("third");
  world.pass(1s);
  world.pass(1999ms);
  CHECK(heard() == "");
  world.pass(1ms);
  REQUIRE(heard() == "Ok");
  CHECK(world.sink.verdicts[0].text == "at last");
  send("tries");
  CHECK(world.sink.verdicts[0].text == "3");
  send("never");
  world.pass(1s);
  CHECK(heard() == "");
  world.pass(2s);
  CHECK(heard() == "QueueFull");
  send("tries");
  CHECK(world.sink.verdicts[0].text == "3");
  for (const auto& [body, code] : {std::pair("final", "Forbidden"), {"mistake", "HandlerFailed"}, {"answered", "Ok"}}) {
    send(body);
    CHECK(heard() == code);
  }
  send("tries");
  CHECK(world.sink.verdicts[0].text == "3");
}

TEST_CASE("mistakes in middleware are told at load") {
  ScriptWorld world;
  for (const auto& [layer, said] : {std::pair("log { level = 'loud' }", "option 'level'"),
                                    {"log { lvel = 'info' }", "unknown option 'lvel'"},
                                    {"recover()", "expected a function"},
                                    {"timeout('soon')", "expected seconds"},
                                    {"rate_limit {}", "option 'per_second'"},
                                    {"rate_limit { per_second = 1, by = 'hat' }", "option 'by'"},
                                    {"validate {}", "expected { action"},
                                    {"validate { x = { y = 'integer' } }", "x.y must be"},
                                    {"retry { attempts = 1 }", "option 'attempts'"},
                                    {"nothing()", "nothing"}}) {
    INFO(layer);
    const std::string text = world.load_error("gw.use(gw.middleware." + std::string(layer) + ")");
    CHECK(text.find("main.lua:1") != std::string::npos);
    CHECK(text.find(said) != std::string::npos);
  }
}

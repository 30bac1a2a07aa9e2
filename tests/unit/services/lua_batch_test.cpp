// Batch jobs, on real sessions whose clients are the test.
#include <set>

#include "../host/script_world.h"
#include "test_worker.h"

using namespace godwit;
using host::SessionKey;
using host::test::ScriptWorld;
using testing::TestWorker;

namespace {

struct Fixture : ScriptWorld {
  Fixture() {
    services = &worker.services;
    for (int i = 0; i < 20; ++i) clients.push_back(worker.open("user" + std::to_string(i)));
    session.id = clients[0];
  }
  /// An app whose `start` begins a job for all, and whose other messages look at it.
  void load_job(const std::string& options) {
    load(
        "local targets = {} for i = 0, 19 do targets[i + 1] = 'user' .. i end local job local commands = { "
        "start = function(msg) job = gw.batch(targets, 'do', 'body', " +
        options +
        ") msg:reply(job.id) end, "
        "progress = function(msg) local p = job:progress() msg:reply(('%d done %d failed %d pending %d "
        "attempts%s'):format("
        "p.done, p.failed, p.pending, p.attempts, p.over and ' over' or '')) end, "
        "cancel = function(msg) msg:reply(tostring(job:cancel())) end, "
        "wait = function(msg) local p, err = job:wait('1s') msg:reply(p and 'over' or err.name) end, "
        "errors = function(msg) local _, errors = job:results() msg:reply(errors[1].name) end, "
        "results = function(msg) local results = job:results() msg:reply(results[1] .. results[20]) end, "
        "find = function(msg) local found, err = gw.job(job.id) msg:reply(found == job and 'found' or err.name) end } "
        "gw.handle('do.it', function(msg) commands[msg:body()](msg) end, { ordered = false })");
  }
  std::string say(std::string_view what) {
    sink.verdicts.clear();
    handle({command(what)});
    return sink.verdicts.empty() ? "waits" : sink.verdicts[0].text;
  }
  size_t sent() {
    size_t count = 0;
    for (const SessionKey key : clients) count += worker.client(key).got.size();
    return count;
  }
  /// Every request that is open is answered.
  void answer_all() {
    for (const SessionKey key : clients) {
      TestWorker::Client& client = worker.client(key);
      if (client.session.pending_replies() > 0) client.reply("pong");
    }
    worker.services.end_turn();
    go_on();
  }
  void move(Duration by) {
    worker.time.clock.move_to(worker.time.clock.now() + by);
    worker.time.timers.run(worker.time.clock.now());
    pass(by);
  }

  testing::VirtualClock shared_clock;
  app::SessionDirectory directory{shared_clock};
  TestWorker worker{0, directory};
  std::vector<SessionKey> clients;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a job has its id before anything is sent, runs so many at one time, and adds up") {
  load_job("{ concurrency = 5 }");
  CHECK(say("start").starts_with("test-1-3-1"));
  CHECK(sent() == 0);
  go_on();
  CHECK(sent() == 5);
  CHECK(say("progress") == "0 done 0 failed 20 pending 5 attempts");
  answer_all();
  CHECK(sent() == 10);
  CHECK(say("progress") == "5 done 0 failed 15 pending 10 attempts");
  for (int i = 0; i < 3; ++i) answer_all();
  CHECK(say("progress") == "20 done 0 failed 0 pending 20 attempts over");
  CHECK(say("results") == "pongpong");
  CHECK(say("wait") == "over");
  CHECK(say("cancel") == "false");
}

TEST_CASE_METHOD(Fixture, "what may succeed later is tried twice more, a second apart, as the same operation") {
  load_job("{ timeout = '2s' }");
  say("start");
  go_on();
  CHECK(sent() == 20);
  for (int i = 0; i < 2; ++i) {
    move(2s + 20ms);  // nobody answers
    move(999ms);
    CHECK(sent() == size_t(20 * (i + 1)));
    move(2ms);
    CHECK(sent() == size_t(20 * (i + 2)));
  }
  move(2s + 20ms);
  CHECK(say("progress") == "0 done 20 failed 0 pending 60 attempts over");
  CHECK(say("errors") == "DeadlineExceeded");
  const auto& got = worker.client(clients[3]).got;
  REQUIRE(got.size() == 3);
  std::set<std::string> keys;
  for (const wire::StoredMessage& message : got) {
    REQUIRE(message.envelope().headers[0].name == "idempotency-key");
    keys.emplace(message.envelope().headers[0].value);
  }
  CHECK(keys == std::set<std::string>{"test-1-3-1:4"});
}

TEST_CASE_METHOD(Fixture, "once a job is cancelled nothing is sent, and what was under way is withdrawn") {
  load_job("{ concurrency = 5 }");
  say("start");
  go_on();
  answer_all();
  REQUIRE(sent() == 10);
  CHECK(say("cancel") == "true");
  CHECK(say("progress") == "5 done 15 failed 0 pending 10 attempts over");
  move(1h);
  CHECK(sent() == 10);
  size_t withdrawn = 0;
  for (const SessionKey key : clients) withdrawn += worker.client(key).cancelled.size();
  CHECK(withdrawn == 5);
  CHECK(app->pins() == 0);
}

TEST_CASE_METHOD(Fixture, "who is not there fails for good, and a job is found for five minutes after its end") {
  for (const SessionKey key : clients) worker.end(key);
  load_job("{ retries = 0 }");
  say("start");
  go_on();
  CHECK(say("progress") == "0 done 20 failed 0 pending 20 attempts over");
  CHECK(say("errors") == "TargetNotFound");
  CHECK(say("find") == "found");
  move(5min);
  CHECK(say("find") == "NotFound");
}

TEST_CASE_METHOD(Fixture, "a job ends by its deadline, and who waits for it hears when it does not end in time") {
  load_job("{ job_timeout = '5s', timeout = '1m', concurrency = 5 }");
  say("start");
  go_on();
  CHECK(say("wait") == "waits");
  move(1s + 20ms);
  CHECK(sink.verdicts.at(0).text == "DeadlineExceeded");
  move(4s);
  CHECK(say("progress") == "0 done 20 failed 0 pending 5 attempts over");
}

TEST_CASE_METHOD(Fixture, "wrong options of a job are told in words") {
  CHECK(raised("gw.batch({}, 'do', '', { concurency = 5 })").find("unknown option 'concurency'") != std::string::npos);
  CHECK(raised("gw.batch({}, 'do', '', { concurrency = 6000 })").find("up to 5000") != std::string::npos);
  CHECK(raised("gw.batch('x', 'do')").find("expected a list of targets") != std::string::npos);
  CHECK(raised("gw.batch({}, 'do', '', { kind = 'response' })").find("must be command, query or event") !=
        std::string::npos);
}

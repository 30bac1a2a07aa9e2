// The Lua half of sessions, groups and the store, on the real tables.
#include "../host/script_world.h"
#include "app/kv_store.h"
#include "test_worker.h"

using namespace godwit;
using host::SessionKey;
using host::test::ScriptWorld;
using testing::TestWorker;
using Strings = std::vector<std::string>;

namespace {

/// An app on one worker with a session that sends to it, and others that it may reach.
struct Fixture : ScriptWorld {
  Fixture() {
    services = &worker.services;
    kv = &store;
    self = worker.open("ada");
    session.id = self;
  }
  /// What a handler with this body replies, when nothing makes it wait.
  std::string run(const std::string& code) { return answer("local ok, err = nil, nil; " + code); }
  /// Begins the handler and leaves it waiting.
  void begin(const std::string& code) {
    load("gw.handle('do.it', function(msg, session) " + code + " end)");
    sink.verdicts.clear();
    handle({command("hello")});
    REQUIRE(sink.verdicts.empty());
  }
  std::string finished() {
    worker.services.end_turn();
    go_on();
    REQUIRE(sink.verdicts.size() == 1);
    return sink.verdicts[0].text;
  }
  TestWorker::Client& mine() { return worker.client(self); }

  testing::VirtualClock shared_clock;
  app::SessionDirectory directory{shared_clock};
  app::MemoryKvStore store{shared_clock, {}};
  TestWorker worker{0, directory};
  SessionKey self = 0;
};

const std::string kTell = " msg:reply(ok and tostring(ok) or err.name) ";

}  // namespace

TEST_CASE_METHOD(Fixture, "session:send sends an event with its headers, and says when it cannot") {
  CHECK(run("ok, err = session:send('greet', 'hi', { headers = { lang = 'de' }, priority = 'high' })" + kTell) ==
        "true");
  REQUIRE(mine().got.size() == 1);
  const wire::Envelope& envelope = mine().got[0].envelope();
  CHECK(envelope.kind == wire::Kind::kEvent);
  CHECK(envelope.action == "greet");
  CHECK(envelope.priority == wire::Priority::kHigh);
  CHECK(envelope.flags == 0);
  CHECK(envelope.headers[0].value == "de");
  CHECK(as_text(mine().got[0].body()) == "hi");
  worker.end(self);
  CHECK(run("ok, err = session:send('greet')" + kTell) == "StaleHandle");
}

TEST_CASE_METHOD(Fixture, "with confirm it waits for the acknowledgement") {
  begin("local ok, err = session:send('greet', 'hi', { confirm = true })" + kTell);
  mine().acknowledge_all();
  CHECK(finished() == "true");
}

TEST_CASE_METHOD(Fixture, "session:request returns the reply, or why none came") {
  begin(
      "local reply, err = session:request('ask', 'x', { kind = 'query', timeout = '2s' }) "
      "msg:reply(reply.body .. ' ' .. reply.headers.unit)");
  CHECK(mine().got[0].envelope().kind == wire::Kind::kQuery);
  CHECK(mine().got[0].envelope().deadline_ms == 2000);
  const wire::Header headers[] = {{"unit", "cm"}};
  mine().reply("42", headers);
  CHECK(finished() == "42 cm");

  begin("local reply, err = session:request('ask') msg:reply(err.name)");
  worker.end(self);
  CHECK(finished() == "ConnectionLost");
}

TEST_CASE_METHOD(Fixture, "attributes keep their type, and change only as cas expects") {
  CHECK(run("session:set('n', 1.5) session:set('b', false) session:set('t', 'x') session:set('gone', 1) "
            "session:set('gone', nil) "
            "msg:reply(session:get('n') + 1 .. tostring(session:get('b')) .. session:get('t') .. "
            "tostring(session:get('gone')))") == "2.5falsexnil");
  CHECK(run("msg:reply(tostring(session:cas('t', 'y', 'z')) .. tostring(session:cas('t', 'x', 'z')) .. "
            "session:get('t'))") == "falsetruez");
  CHECK(run("session:set('typing', true, '3s') msg:reply(tostring(session:get('typing')))") == "true");
  shared_clock.move_to(shared_clock.now() + 3s);
  CHECK(run("msg:reply(tostring(session:get('typing')))") == "nil");
}

TEST_CASE_METHOD(Fixture, "a group has the sessions that joined it, in pages") {
  const SessionKey other = worker.open("bob");
  CHECK(run("local room = gw.group('room') session:join('room') room:join(" + std::to_string(other) +
            ") msg:reply(room:count() .. table.concat(session:groups(), ','))") == "2room");
  CHECK(run("local list, next = gw.group('room'):members(nil, 1) local rest, last = gw.group('room'):members(next, 1) "
            "msg:reply(list[1].uid .. rest[1].uid .. tostring(#gw.group('room'):members(last, 1)))") == "adabob0");
  CHECK(run("session:leave('room') msg:reply(tostring(gw.group('room'):count()))") == "1");
}

TEST_CASE_METHOD(Fixture, "publish reaches the members and counts them; except leaves one out") {
  const SessionKey other = worker.open("bob");
  CHECK(run("session:join('room') gw.group('room'):join(" + std::to_string(other) +
            ") ok, err = gw.group('room'):publish('said', 'hi', { except = session })" + kTell) == "1");
  CHECK(mine().got.empty());
  CHECK(worker.client(other).actions() == Strings{"said"});
  CHECK(run("ok, err = gw.broadcast('news')" + kTell) == "2");
  CHECK(run("ok, err = gw.broadcast('news', '', { group = 'nobody' })" + kTell) == "0");
}

TEST_CASE_METHOD(Fixture, "with report a broadcast tells who refused it, and why") {
  worker.config.outbox_messages_max = 1;
  const SessionKey slow = worker.open("slow");
  REQUIRE(worker.services.send(slow, {.action = "first"}, {}));
  begin(
      "local sent, refused = gw.broadcast('news', '', { report = true }) "
      "msg:reply(sent .. ' ' .. #refused .. ' ' .. refused[1].id .. ' ' .. refused[1].error.name)");
  CHECK(finished() == "1 1 " + std::to_string(slow) + " QueueFull");
}

TEST_CASE_METHOD(Fixture, "gw.send reaches all sessions of a uid, and nobody is an error") {
  const SessionKey other = worker.open("ada");
  CHECK(run("ok, err = gw.send('ada', 'ping')" + kTell) == "2");
  CHECK(worker.client(other).actions() == Strings{"ping"});
  CHECK(run("ok, err = gw.send('nobody', 'ping')" + kTell) == "TargetNotFound");
  CHECK(run("ok, err = gw.request('nobody', 'ping')" + kTell) == "TargetNotFound");
}

TEST_CASE_METHOD(Fixture, "gw.session and gw.sessions find who is there") {
  const SessionKey newer = worker.open("ada");
  CHECK(run("msg:reply(tostring(gw.session(nil, 'ada').id))") == std::to_string(newer));
  CHECK(run("msg:reply(gw.session(" + std::to_string(self) + ").uid)") == "ada");
  CHECK(run("ok, err = gw.session(12345)" + kTell) == "TargetNotFound");
  CHECK(run("local list, cursor = gw.sessions { limit = 1 } msg:reply(#list .. ' ' .. cursor)") ==
        "1 " + std::to_string(self));
  CHECK(run("msg:reply(tostring(session:alive()) .. tostring(gw.session(nil, 'ada'):alive()))") == "truetrue");
}

TEST_CASE_METHOD(Fixture, "session:stats, :pending and :close reach the session") {
  begin("local stats = session:stats() msg:reply(stats.messages_sent .. ' ' .. stats.rtt)");
  CHECK(finished() == "0 0");
  begin("msg:reply(tostring(session:pending()))");
  CHECK(finished() == "0");
  CHECK(run("ok, err = session:close('Forbidden', 'out')" + kTell) == "true");
  CHECK(mine().closed == Code::kForbidden);
}

TEST_CASE_METHOD(Fixture, "a handler whose errors close tells its sender first, and only breakdowns close") {
  load(
      "gw.handle('do.it', function(msg) if msg:body() == 'refuse' then error(gw.err('Forbidden')) end "
      "if msg:body() == 'late' then gw.sleep(1) end error('no') end, { on_error = 'close' })");
  handle({command("refuse")});
  CHECK(mine().closed == Code::kOk);
  handle({command("late")});
  CHECK(mine().closed == Code::kOk);
  pass(1100ms);
  CHECK(sink.verdicts.back().code == Code::kHandlerFailed);
  CHECK(mine().closed == Code::kHandlerFailed);
  mine().closed = Code::kOk;
  handle({command("now")});
  CHECK(mine().closed == Code::kHandlerFailed);
}

TEST_CASE_METHOD(Fixture, "the store is shared by an app's VMs and generations, and closed to other apps") {
  CHECK(run("gw.kv.set('n', 1) gw.kv.set('t', 'text', 10) msg:reply(gw.kv.incr('n', 2) .. gw.kv.get('t'))") == "3text");
  CHECK(run("msg:reply(gw.kv.get('n') .. ' ' .. gw.kv.ttl('t') .. ' ' .. gw.kv.ttl('n') .. "
            "table.concat(gw.kv.keys(), ','))") == "3 10 infn,t");
  CHECK(run("msg:reply(tostring(gw.kv.add('n', 1)) .. tostring(gw.kv.add('new', 1)) .. "
            "tostring(gw.kv.cas('new', 1, 2)) .. tostring(gw.kv.del('new')) .. tostring(gw.kv.get('new')))") ==
        "falsetruetruetruenil");
  CHECK(run("ok, err = gw.kv.incr('t')" + kTell) == "ValueWrong");
  CHECK(store.get("test", "n") == host::Value(3.0));
  CHECK_FALSE(store.get("other", "n"));
}

TEST_CASE_METHOD(Fixture, "wrong arguments are told in words") {
  CHECK(raised("session:send(5)").find("session:send: the action must be a string, got number") != std::string::npos);
  CHECK(raised("session:send('a', {})").find("the body must be a string, got table") != std::string::npos);
  CHECK(raised("session:send('a', '', { confrim = true })").find("unknown option 'confrim'") != std::string::npos);
  CHECK(raised("session.send('a')").find("must be called with a colon on a session") != std::string::npos);
  CHECK(raised("session:set('a', {})").find("a value must be a string, number or boolean") != std::string::npos);
  CHECK(raised("session:close('Nonsense')").find("is no error code") != std::string::npos);
  CHECK(raised("gw.kv.set(1, 2)").find("gw.kv.set: the key must be a string, got number") != std::string::npos);
  CHECK(raised("gw.group('')").find("1 to 256 bytes") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "nothing has effects while an app loads, but reading is allowed") {
  for (const char* code :
       {"gw.broadcast('a')", "gw.send('ada', 'a')", "gw.request('ada', 'a')", "gw.group('g'):publish('a')",
        "gw.session(nil, 'ada'):join('g')", "gw.session(nil, 'ada'):set('a', 1)", "gw.session(nil, 'ada'):close()",
        "gw.kv.set('a', 1)", "gw.kv.incr('a')", "gw.kv.del('a')"}) {
    INFO(code);
    CHECK(load_error(std::string(code)).find("not while the app loads") != std::string::npos);
  }
  load("local n = gw.kv.get('a'); local c = gw.group('g'):count(); gw.handle('a', function() end)");
  CHECK(mine().got.empty());
}

TEST_CASE_METHOD(Fixture, "what ends after its app is gone harms nobody") {
  begin("session:request('ask') msg:reply('never')");
  app.reset();
  mine().reply("late");
  worker.end(self);
}

TEST_CASE_METHOD(Fixture, "who cancels the task that waits for a reply withdraws the request") {
  load(
      "local task gw.handle('do.it', function(msg, session) if msg:body() == 'stop' then "
      "msg:reply(tostring(task:cancel())) "
      "return end task = gw.spawn(function() return session:request('ask') end) local _, err = task:wait() "
      "msg:reply(err.name) end, { ordered = false })");
  handle({command("ask")});
  go_on();
  REQUIRE(mine().actions() == Strings{"ask"});
  CHECK(mine().cancelled.empty());
  handle({command("stop")});
  go_on();
  CHECK(mine().cancelled == std::vector<uint64_t>{1});
  CHECK(mine().session.pending_replies() == 0);
  CHECK(sink.verdicts.back().text == "Cancelled");
}

TEST_CASE_METHOD(Fixture, "a handler whose caller withdrew stops where it waits, and so does what it asked") {
  load(
      "gw.handle('do.it', function(msg, session) gw.kv.set('reached', 'asks') session:request('ask') "
      "gw.kv.set('reached', 'end') end)");
  const host::Delivery asked = command("x");
  handle({asked});
  REQUIRE(mine().actions() == Strings{"ask"});
  app->withdraw(asked.ticket, sink);
  go_on();
  CHECK(mine().cancelled == std::vector<uint64_t>{1});
  CHECK(store.get("test", "reached") == host::Value(std::string("asks")));
  CHECK(app->pins() == 0);
  CHECK(app->stats().errors == 0);
}

TEST_CASE_METHOD(Fixture, "what a handler asks is not waited for longer than its own caller waits") {
  load("gw.handle('do.it', function(msg, session) session:request(msg:body(), '', { timeout = '20s' }) end)");
  host::Delivery hasty = command("hasty"), patient = command("patient");
  hasty.deadline = clock.now() + 5s;
  handle({hasty, patient});
  REQUIRE(mine().got.size() == 2);
  CHECK(mine().got[0].envelope().deadline_ms == 5000);
  CHECK(mine().got[1].envelope().deadline_ms == 20000);
}

TEST_CASE_METHOD(Fixture, "session:notify binds an event to the response, and says when there will be none") {
  CHECK(run("ok, err = session:notify('now', 'x')" + kTell) == "true");
  CHECK(mine().actions() == Strings{"now"});
  CHECK(run("ok, err = session:notify('around', 'x', { before = msg })" + kTell) == "true");
  REQUIRE(sink.notified.size() == 1);
  CHECK(sink.notified[0] == "before around x");
  CHECK(run("msg:reply('done') ok, err = session:notify('around', 'y', { after = msg }) gw.kv.set('ok', ok)") ==
        "done");
  CHECK(sink.notified.back() == "after around y");
  load(
      "local old gw.handle('do.it', function(msg, session) if old then local ok, err = session:notify('x', '', { after "
      "= "
      "old }) msg:reply(err.name) end old = msg end)");
  handle({command("a")});
  handle({command("b")});
  CHECK(sink.verdicts.back().text == "StaleHandle");
  CHECK(raised("session:notify('x', '', { before = 5 })").find("names a message of this session") != std::string::npos);
  const SessionKey other = worker.open("bob");
  CHECK(run("ok, err = gw.session(" + std::to_string(other) + "):notify('x', '', { before = msg })" + kTell) ==
        "ArgumentInvalid");
}

TEST_CASE_METHOD(Fixture, "an event for a user who went a moment ago is kept where that is asked for") {
  const SessionKey other = worker.open("bob");
  CHECK(run("ok, err = gw.send('bob', 'ping', '', { offline = true })" + kTell) == "1");
  worker.end(other);
  CHECK(run("ok, err = gw.send('bob', 'ping')" + kTell) == "TargetNotFound");
  CHECK(run("ok, err = gw.send('bob', 'ping', 'x', { offline = '30s' })" + kTell) == "0");
  CHECK(run("ok, err = gw.send('carol', 'ping', 'x', { offline = true })" + kTell) == "TargetNotFound");
  app::OfflineTable::Tally tally;
  const auto kept = directory.offline().enter("bob", tally);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].message.envelope().action == "ping");
  CHECK(raised("gw.send('bob', 'ping', '', { offline = true, confirm = true })").find("does not go with") !=
        std::string::npos);
}

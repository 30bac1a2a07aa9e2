#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;
using What = KeptVerdicts::Verdict::What;

TEST_CASE("a handler sees its message and replies to it") {
  ScriptWorld world;
  CHECK(world.answer("msg:reply(msg:body())", "ping") == "ping");
  CHECK(world.answer("msg:reply(table.concat({msg.kind, msg.action, msg.id}, ' '))") == "command do.it 102");
  CHECK(world.answer("msg:reply(tostring(msg))") == "message 103 (command/do.it)");
  CHECK(world.answer("msg:reply(42)") == "42");
  CHECK(world.answer("msg:reply()").empty());
  CHECK(world.answer("msg:reply(tostring(msg.nonsense))") == "nil");
}

TEST_CASE("a body of any bytes arrives and leaves unchanged") {
  ScriptWorld world;
  std::string body(70'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  CHECK(world.answer("msg:reply(msg:body())", body) == body);
}

TEST_CASE("a handler sees who sent a message") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg, s) msg:reply(table.concat({s.id, s.client_id, tostring(s.uid), s.address}, ' ')) "
      "end)");
  SessionView other{uint64_t{1} << 60, "tablet", "", "[::1]:1"};
  SessionView changed = world.session;
  changed.uid = "grace";
  Delivery from_other = world.command("");
  from_other.session = &other;
  Delivery from_changed = world.command("");
  from_changed.session = &changed;
  world.handle({world.command(""), from_other, from_changed, world.command("")});
  REQUIRE(world.sink.verdicts.size() == 4);
  CHECK(world.sink.verdicts[0].text == "7 device-7 ada 127.0.0.1:4242");
  CHECK(world.sink.verdicts[1].text == "1152921504606846976 tablet nil [::1]:1");
  CHECK(world.sink.verdicts[2].text == "7 device-7 grace 127.0.0.1:4242");
  CHECK(world.sink.verdicts[3].text == "7 device-7 ada 127.0.0.1:4242");
}

TEST_CASE("sessions that share a place in the cache are never taken for each other") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg, s) msg:reply(s.id .. s.client_id) end)");
  const SessionView low{3, "low", "", ""};
  const SessionView high{3 + 1024, "high", "", ""};
  Delivery from_low = world.command("");
  from_low.session = &low;
  Delivery from_high = world.command("");
  from_high.session = &high;
  world.handle({from_low, from_high, from_low});
  REQUIRE(world.sink.verdicts.size() == 3);
  CHECK(world.sink.verdicts[0].text == "3low");
  CHECK(world.sink.verdicts[1].text == "1027high");
  CHECK(world.sink.verdicts[2].text == "3low");
}

TEST_CASE("messages of one session share their session object") {
  ScriptWorld world;
  world.load("local last; gw.handle('x', function(msg, s) msg:reply(tostring(rawequal(s, last))) last = s end)");
  world.handle({world.command(""), world.command("")});
  world.handle({world.command("")});
  CHECK(world.sink.verdicts[0].text == "false");
  CHECK(world.sink.verdicts[1].text == "true");
  CHECK(world.sink.verdicts[2].text == "true");
}

TEST_CASE("a message from nobody has no session") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg, session) msg:reply(tostring(session)) end)");
  Delivery delivery = world.command("");
  delivery.session = nullptr;
  world.handle({delivery});
  CHECK(world.sink.verdicts.at(0).text == "nil");
}

TEST_CASE("ids beyond what a number holds exactly come as text") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) msg:reply(type(msg.id) .. ' ' .. tostring(msg.id)) end)");
  Delivery small = world.command("");
  small.message_id = (uint64_t{1} << 53) - 1;
  Delivery large = world.command("");
  large.message_id = (uint64_t{1} << 53) + 1;
  world.handle({small, large});
  CHECK(world.sink.verdicts[0].text == "number 9.007199254741e+15");
  CHECK(world.sink.verdicts[1].text == "string 9007199254740993");
}

TEST_CASE("headers can be read and walked, not changed; of equal names the first counts") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg)"
      "  local names = {} for name in pairs(msg.headers) do names[#names + 1] = name end table.sort(names)"
      "  local ok, err = pcall(function() msg.headers.a = 'z' end)"
      "  msg:reply(table.concat(names, ',') .. ' ' .. msg.headers.a .. ' ' .. tostring(msg.headers.zz) .. ' ' .. err)"
      "end)");
  const wire::Header headers[] = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  Delivery delivery = world.command("");
  delivery.headers = headers;
  world.handle({delivery});
  CHECK(world.sink.verdicts.at(0).text == "a,b 1 nil test/main.lua:1: msg.headers is read-only: cannot set 'a'");
}

TEST_CASE("a reply may carry headers, in the order of their names") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) msg:reply('r', { b = '2', a = '1', c = '3' }) end)");
  world.handle({world.command(""), world.command("")});
  const auto& headers = world.sink.verdicts.at(1).headers;
  REQUIRE(headers.size() == 3);
  CHECK(headers[0] == std::pair<std::string, std::string>("a", "1"));
  CHECK(headers[2] == std::pair<std::string, std::string>("c", "3"));
  CHECK(world.raised("return msg") == "nothing");
}

TEST_CASE("deadlines count down on the host's clock") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) msg:reply(tostring(msg:deadline())) end)");
  Delivery delivery = world.command("");
  delivery.deadline = world.clock.now() + 1500ms;
  world.handle({delivery, world.command("")});
  CHECK(world.sink.verdicts[0].text == "1.5");
  CHECK(world.sink.verdicts[1].text == "inf");
}

TEST_CASE("every message of a batch gets one verdict, in order") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if msg:body() ~= 'silent' then msg:reply(msg:body()) end end)");
  std::vector<std::string> bodies;
  for (int i = 0; i < 200; ++i) bodies.push_back(i % 5 == 0 ? "silent" : std::to_string(i));
  std::vector<Delivery> batch;
  for (const std::string& body : bodies) batch.push_back(world.command(body));
  world.handle(batch);
  REQUIRE(world.sink.verdicts.size() == 200);
  for (size_t i = 0; i < 200; ++i) {
    CHECK(world.sink.verdicts[i].ticket == batch[i].ticket.bits);
    CHECK(world.sink.verdicts[i].what == (i % 5 == 0 ? What::kDone : What::kReply));
  }
  CHECK(world.app->stats().handled == 200);
}

TEST_CASE("messages reach the handler they were routed to") {
  ScriptWorld world;
  world.load(
      "gw.handle('a', function(msg) msg:reply('first') end)"
      "gw.handle('b', function(msg) msg:reply('second') end)");
  Delivery second = world.command("");
  second.handler = 1;
  world.handle({second, world.command(""), second});
  CHECK(world.sink.verdicts[0].text == "second");
  CHECK(world.sink.verdicts[1].text == "first");
  CHECK(world.sink.verdicts[2].text == "second");
}

TEST_CASE("a handler that raises fails its message; the rest of the batch runs") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if msg:body() == 'bad' then local x = nil + 1 end msg:reply('good') end)");
  world.handle(
      {world.command("1"), world.command("bad"), world.command("3"), world.command("bad"), world.command("5")});
  REQUIRE(world.sink.verdicts.size() == 5);
  for (const size_t i : {0u, 2u, 4u}) CHECK(world.sink.verdicts[i].text == "good");
  for (const size_t i : {1u, 3u}) {
    CHECK(world.sink.verdicts[i].what == What::kFailure);
    CHECK(world.sink.verdicts[i].code == Code::kHandlerFailed);
    CHECK(world.sink.verdicts[i].text == "test@1: handler failed");
  }
  CHECK(world.app->stats().errors == 2);
  const KeptLog::Line* line = world.log.find("handler failed");
  REQUIRE(line);
  CHECK(line->level == LogLevel::kError);
  CHECK(line->fields.at("app") == "test@1");
  CHECK(line->fields.at("error") == "test/main.lua:1: attempt to perform arithmetic on a nil value");
  CHECK(line->fields.at("message") == "102");
  CHECK(line->fields.at("traceback").find("in function <test/main.lua:1>") != std::string::npos);
}

TEST_CASE("an error after the reply is logged, but the reply stands") {
  ScriptWorld world;
  CHECK(world.answer("msg:reply('said') error('oops')") == "said");
  CHECK(world.log.count("handler failed") == 1);
}

TEST_CASE("the same failure over and over is logged a few times only, then counted") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if msg:body() == 'bad' then error('again') end end)");
  for (int i = 0; i < 100; ++i) world.handle({world.command("bad"), world.command(""), world.command("")});
  CHECK(world.log.count("handler failed") == 5);
  world.clock.advance(11s);
  world.handle({world.command("bad")});
  CHECK(world.log.count("handler failed") == 6);
  CHECK(world.log.lines.back().fields.at("held_back") == "95");
  CHECK(world.sink.verdicts.size() == 301);
}

TEST_CASE("errors of any kind fail their message only") {
  ScriptWorld world;
  for (const char* code : {"error()", "error({})", "error(print)", "error(12)", "coroutine.yield()",
                           "error(setmetatable({}, { __tostring = function() while true do end end }))",
                           "local function f() return f() + 1 end f()"}) {
    INFO(code);
    CHECK(world.answer(code) == "HandlerFailed: test@1: handler failed");
    world.handle({world.command("")});
    CHECK(world.sink.verdicts.back().code == Code::kHandlerFailed);
  }
}

TEST_CASE("fail takes a code by name or number, and nothing else") {
  ScriptWorld world;
  CHECK(world.answer("msg:fail('Forbidden', 'not you')") == "Forbidden: not you");
  CHECK(world.answer("msg:fail(require('godwit').errors.Forbidden)") == "Forbidden: ");
  CHECK(world.raised("msg:fail('Sleepy')").find("msg:fail: 'Sleepy' is no error code") != std::string::npos);
  CHECK(world.raised("msg:fail(12)").find("'12' is no error code") != std::string::npos);
  CHECK(world.raised("msg:fail()").find("'nil' is no error code") != std::string::npos);
  CHECK(world.answer("msg:fail('Forbidden', ('x'):rep(5000))").size() == 1024 + sizeof("Forbidden: ") - 1);
}

TEST_CASE("a second answer is an ordinary error") {
  ScriptWorld world;
  CHECK(world.answer(
            "msg:reply('one') local ok, err = msg:reply('two') require('godwit').log.info(tostring(ok) .. ' ' .. "
            "tostring(err))") == "one");
  CHECK(world.log.find("nil ReplyTwice (4010): a message was answered already"));
  CHECK(world.answer("msg:reply('one') msg:fail('Forbidden')") == "one");
}

TEST_CASE("what the host cannot take comes back as an error with code, advice to retry and delay") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg)"
      "  local ok, err = msg:reply('r')"
      "  gw.log.info('outcome', { ok = tostring(ok), code = err.code, name = err.name, again = err.retryable,"
      "                           after = err.retry_after or 'never' })"
      " end)");
  const auto outcome = [&](ReplyOutcome next) {
    world.log.lines.clear();
    world.sink.next_outcome = next;
    world.handle({world.command("")});
    return world.log.lines.at(0).fields;
  };
  auto fields = outcome(ReplyOutcome::kQueueFull);
  CHECK(fields.at("ok") == "nil");
  CHECK(fields.at("code") == "2002");
  CHECK(fields.at("name") == "QueueFull");
  CHECK(fields.at("again") == "true");
  CHECK(fields.at("after") == "0.100000");
  CHECK(outcome(ReplyOutcome::kTooLarge).at("name") == "MessageTooLarge");
  CHECK(outcome(ReplyOutcome::kNotExpected).at("name") == "ReplyNotExpected");
  fields = outcome(ReplyOutcome::kStale);
  CHECK(fields.at("name") == "StaleHandle");
  CHECK(fields.at("after") == "never");
}

TEST_CASE("a reply that was too large leaves room for a smaller one") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) if not msg:reply('big') then msg:reply('small') end end)");
  world.sink.next_outcome = ReplyOutcome::kTooLarge;
  world.handle({world.command("")});
  REQUIRE(world.sink.verdicts.size() == 1);
  CHECK(world.sink.verdicts[0].text == "small");
}

TEST_CASE("a message kept beyond its handler answers StaleHandle and shows nothing of later ones") {
  ScriptWorld world;
  world.load(
      "local kept\n"
      "gw.handle('x', function(msg)\n"
      "  if not kept then kept = msg msg:reply('kept') return end\n"
      "  local ok, err = kept:reply('late')\n"
      "  local seen, why = pcall(function() return kept:body() end)\n"
      "  local seen2, why2 = pcall(function() return kept.action end)\n"
      "  msg:reply(err.name .. ' ' .. tostring(seen) .. tostring(seen2) .. ' ' .. tostring(kept) .. ' ' .. "
      "kept:deadline())\n"
      "end)");
  SECTION("in the same batch") { world.handle({world.command("1"), world.command("2")}); }
  SECTION("in a later one") {
    world.handle({world.command("1")});
    world.handle({world.command("2")});
  }
  REQUIRE(world.sink.verdicts.size() == 2);
  CHECK(world.sink.verdicts[1].text == "StaleHandle falsefalse message (over) 0");
}

TEST_CASE("misuse of a message raises an error that says what is right") {
  ScriptWorld world;
  CHECK(world.raised("msg.reply('x')") == "test/main.lua:1: msg:reply must be called with a colon on a message");
  CHECK(world.raised("msg:reply({})") == "test/main.lua:1: msg:reply: the body must be a string, got table");
  CHECK(world.raised("msg:reply('x', 'y')") == "test/main.lua:1: msg:reply: headers must be a table of name = value");
  CHECK(world.raised("msg:reply('x', { 'y' })") ==
        "test/main.lua:1: msg:reply: headers must have names and values that are strings");
  CHECK(world.raised("local t = {} for i = 1, 65 do t['n' .. i] = 'v' end msg:reply('x', t)") ==
        "test/main.lua:1: msg:reply: too many headers");
  CHECK(world.raised("msg.action = 'y'") == "test/main.lua:1: messages are read-only: cannot set 'action'");
  CHECK(world.raised("session.uid = 'root'") == "test/main.lua:1: session is read-only: cannot set 'uid'");
}

TEST_CASE("headers that were refused do not join the next reply") {
  ScriptWorld world;
  world.load(
      "gw.handle('x', function(msg)"
      "  local t = {} for i = 1, 65 do t['n' .. i] = 'v' end"
      "  pcall(msg.reply, msg, 'x', t)"
      "  msg:reply('plain')"
      "end)");
  world.handle({world.command("")});
  CHECK(world.sink.verdicts.at(0).headers.empty());
}

TEST_CASE("log lines carry app and generation, level and fields") {
  ScriptWorld world;
  world.load("gw.log.warn('low', { left = 3, share = 0.5, ok = false, who = 'ada', what = {} }) print('a', 1, nil)");
  REQUIRE(world.log.lines.size() >= 2);
  const KeptLog::Line& line = world.log.lines[0];
  CHECK(line.level == LogLevel::kWarn);
  CHECK(line.text == "low");
  CHECK(line.fields.at("app") == "test@1");
  CHECK(line.fields.at("left") == "3");
  CHECK(line.fields.at("share") == "0.500000");
  CHECK(line.fields.at("ok") == "false");
  CHECK(line.fields.at("who") == "ada");
  CHECK(line.fields.at("what") == "table");
  CHECK(world.log.lines[1].text == "a\t1\tnil");
}

TEST_CASE("gw says who and when one is") {
  ScriptWorld world;
  CHECK(world.answer(
            "local i = require('godwit').info msg:reply(i.app .. i.generation .. i.worker .. type(i.version))") ==
        "test13string");
  CHECK(world.answer("msg:reply(('%.3f %.3f'):format(require('godwit').time(), require('godwit').now()))") ==
        "1700000000.250 5.000");
}

TEST_CASE("when the turn's time is used up, the messages that were not begun are left") {
  ScriptWorld world;
  world.load("gw.handle('x', function(msg) msg:reply(msg:body()) end)");
  std::vector<Delivery> batch;
  for (int i = 0; i < 200; ++i) batch.push_back(world.command("a"));
  world.sink.enough_after = 3;
  CHECK(world.app->handle(batch, world.sink) == 3);
  CHECK(world.sink.verdicts.size() == 3);
  // Always at least one, or nothing would ever come forward.
  CHECK(world.app->handle(batch, world.sink) == 1);
  world.sink.enough_after = 1000;
  CHECK(world.app->handle(batch, world.sink) == 200);
  CHECK(world.app->stats().handled == 204);
}

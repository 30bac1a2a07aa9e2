#include <catch2/catch.hpp>

#include "host/session_event.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

SessionEvent event(SessionEvent::What what, uint64_t key = 7) {
  return {what, {.key = key, .client_id = "device", .uid = "ada", .address = "127.0.0.1:1"}, Code::kOk, {}, {}};
}

SessionEvent closed(uint64_t key = 7) {
  SessionEvent gone = event(SessionEvent::What::kClosed, key);
  gone.code = Code::kIdleTimeout;
  gone.reason = "nothing was heard";
  gone.groups = {"chat:a", "chat:b"};
  return gone;
}

/// What the app logged, in order.
std::string told(const ScriptWorld& world) {
  std::string all;
  for (const KeptLog::Line& line : world.log.lines) all += line.text + "\n";
  return all;
}

void tell(ScriptWorld& world, const SessionEvent& what) { world.app->session_listener()->on_session(what); }

}  // namespace

TEST_CASE("an app hears who came and who went, why, and with which groups") {
  ScriptWorld world;
  world.load(
      "gw.on('session_created', function(ev) print(ev.event, ev.session.id, ev.session.uid, ev.name) end) "
      "gw.on('session_closed', function(ev) "
      "print(ev.event, ev.session.client_id, ev.code, ev.name, ev.reason, table.concat(ev.groups, ' ')) end)");
  tell(world, event(SessionEvent::What::kCreated));
  tell(world, closed());
  CHECK(told(world).empty());
  CHECK(world.app->pins() == 2);
  world.go_on();
  CHECK(told(world) ==
        "session_created\t7\tada\tnil\n"
        "session_closed\tdevice\t1004\tIdleTimeout\tnothing was heard\tchat:a chat:b\n");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("nobody describes sessions for an app that does not listen") {
  ScriptWorld world;
  world.load("gw.on('session_closed', function() end)");
  CHECK(world.app->session_listener()->hears(SessionEvent::What::kClosed));
  CHECK_FALSE(world.app->session_listener()->hears(SessionEvent::What::kCreated));
}

TEST_CASE("a session's creation is heard before its first message is handled, also in the same turn") {
  ScriptWorld world;
  world.load(
      "gw.on('session_created', function(ev) print('created ' .. ev.session.id) end) "
      "gw.handle('do.it', function(msg) print('message') end)");
  for (uint64_t key = 1; key <= 600; ++key) tell(world, event(SessionEvent::What::kCreated, key));
  world.handle({world.command("x")});
  REQUIRE(world.log.lines.size() == 601);
  CHECK(world.log.lines[599].text == "created 600");
  CHECK(world.log.lines[600].text == "message");
}

TEST_CASE("a handler of an event may wait, and others go on meanwhile") {
  ScriptWorld world;
  world.load("gw.on('session_created', function(ev) gw.sleep(ev.session.id) print(ev.session.id) end)");
  tell(world, event(SessionEvent::What::kCreated, 2));
  tell(world, event(SessionEvent::What::kCreated, 1));
  world.go_on();
  CHECK(told(world).empty());
  CHECK(world.app->pins() == 2);
  world.pass(1100ms);
  CHECK(told(world) == "1\n");
  world.pass(1100ms);
  CHECK(told(world) == "1\n2\n");
}

TEST_CASE("an event's handler that fails is in the log with its app, and harms nobody") {
  ScriptWorld world;
  world.load(
      "gw.on('session_created', function() error('no') end) "
      "gw.on('session_created', function() while true do end end) "
      "gw.on('session_created', function() print('heard') end) "
      "gw.handle('do.it', function(msg) msg:reply('fine') end)");
  tell(world, event(SessionEvent::What::kCreated));
  world.go_on();
  const auto* failed = world.log.find("handler failed");
  REQUIRE(failed);
  CHECK(failed->fields.at("app") == "test@1");
  CHECK(failed->fields.at("error").find("main.lua:1: no") != std::string::npos);
  CHECK(world.log.find("handler ran too long"));
  CHECK(world.log.find("heard"));
  world.handle({world.command("x")});
  CHECK(world.sink.verdicts.back().text == "fine");
  CHECK(world.app->stats().errors == 2);
}

TEST_CASE("events beyond what may wait are dropped, counted and logged") {
  ScriptWorld world;
  world.limits.events_max = 3;
  world.load(
      "heard = 0 gw.on('session_created', function() heard = heard + 1 end) "
      "gw.handle('do.it', function(msg) msg:reply(heard) end)");
  for (uint64_t key = 1; key <= 5; ++key) tell(world, event(SessionEvent::What::kCreated, key));
  const auto* dropped = world.log.find("too many events wait: dropped");
  REQUIRE(dropped);
  CHECK(dropped->fields.at("app") == "test@1");
  CHECK(dropped->fields.at("event") == "session_created");
  world.handle({world.command("x")});
  CHECK(world.sink.verdicts.back().text == "3");
}

TEST_CASE("a flood of events is taken a share at a time, so that messages have their turn") {
  ScriptWorld world;
  world.load("heard = 0 gw.on('session_created', function() heard = heard + 1 end)");
  for (uint64_t key = 1; key <= 600; ++key) tell(world, event(SessionEvent::What::kCreated, key));
  CHECK(world.app->run_ready(world.sink));
  CHECK(world.app->pins() == 600 - 256);
  world.go_on();
  CHECK(world.app->pins() == 0);
}

TEST_CASE("mistakes with events are told at load, with the events that there are") {
  ScriptWorld world;
  CHECK(
      world.load_error("gw.on('session_opened', print)") ==
      "test/main.lua:1: gw.on: unknown event 'session_opened'; there are session_created, session_closed, "
      "session_parted, session_resumed, heartbeat_timeout, message_received, message_sent, broadcast, promise_timeout, "
      "connection_error");
  CHECK(world.load_error("gw.on('session_closed')").find("the handler must be a function") != std::string::npos);
  CHECK(world.load_error("gw.on('session_closed', print, { quick = true })").find("unknown option 'quick'") !=
        std::string::npos);
  CHECK(world.raised("gw.on('session_closed', print)").find("events are bound while the app loads only") !=
        std::string::npos);
}

TEST_CASE("what a generation had still to hear, it hears after it was replaced") {
  ScriptWorld world;
  world.load("gw.on('session_closed', function() gw.sleep(1) print('heard') end)");
  tell(world, closed());
  world.app->retire();
  CHECK(world.app->pins() == 1);
  world.go_on();
  world.pass(2s);
  CHECK(told(world) == "heard\n");
  CHECK(world.app->pins() == 0);
}

TEST_CASE("messages, broadcasts and connections are told of as well, each with what there is to say") {
  ScriptWorld world;
  world.load(
      "for _, name in ipairs { 'message_received', 'message_sent', 'promise_timeout' } do gw.on(name, function(ev) "
      "print(ev.event, ev.session.uid, ev.action, ev.message, ev.name, ev.groups) end) end "
      "gw.on('broadcast', function(ev) print(ev.event, ev.session, ev.group, ev.action, ev.count) end) "
      "gw.on('session_resumed', function(ev) print(ev.event, ev.resumes) end) "
      "gw.on('session_closed', function(ev) print(ev.event, ev.name, ev.stop_reason) end) "
      "for _, name in ipairs { 'heartbeat_timeout', 'connection_error', 'session_parted' } do "
      "gw.on(name, function(ev) print(ev.event, ev.name, ev.reason) end) end");
  using What = SessionEvent::What;
  const auto about = [&](What what, Code code, std::string action) {
    SessionEvent told = event(what);
    told.code = code;
    told.action = std::move(action);
    told.message_id = 5;
    tell(world, told);
  };
  about(What::kReceived, Code::kOk, "chat.say");
  about(What::kSent, Code::kQueueFull, "news");
  about(What::kPromiseTimeout, Code::kDeadlineExceeded, "");
  tell(world, {.what = What::kBroadcast, .reason = "room", .action = "news", .count = 3});
  SessionEvent resumed = event(What::kResumed);
  resumed.count = 2;
  tell(world, resumed);
  SessionEvent gone = closed();
  gone.code = Code::kAccountSwitched;
  tell(world, gone);
  for (const What what : {What::kHeartbeatTimeout, What::kError, What::kParted}) {
    SessionEvent ended = event(what);
    ended.code = Code::kProtocolError;
    ended.reason = "why";
    tell(world, ended);
  }
  world.go_on();
  CHECK(told(world) ==
        "message_received\tada\tchat.say\t5\tnil\tnil\n"
        "message_sent\tada\tnews\t5\tQueueFull\tnil\n"
        "promise_timeout\tada\t\t5\tDeadlineExceeded\tnil\n"
        "broadcast\tnil\troom\tnews\t3\n"
        "session_resumed\t2\n"
        "session_closed\tAccountSwitched\t3\n"
        "heartbeat_timeout\tProtocolError\twhy\n"
        "connection_error\tProtocolError\twhy\n"
        "session_parted\tProtocolError\twhy\n");
}

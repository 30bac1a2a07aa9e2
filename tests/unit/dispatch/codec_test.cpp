#include <catch2/catch.hpp>
#include <map>

#include "app/dispatcher.h"
#include "two_sessions.h"

using namespace godwit;
using app::Dispatcher;
using testing::TwoSessions;

namespace {

class NullSink final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// "<x>" is how clients say x.
class Bracketed final : public host::Codec {
 public:
  std::string_view content_type() const override { return "text/bracketed"; }
  std::string_view handler_type() const override { return type; }
  Result<std::vector<uint8_t>> decode(Bytes body, size_t bytes_max) override {
    ++decoded;
    const std::string_view text = as_text(body);
    if (text.size() < 2 || text.front() != '<' || text.back() != '>') return fail(Code::kBodyInvalid, "no brackets");
    if (text.size() - 2 > bytes_max) return fail(Code::kMessageTooLarge, "too large");
    return std::vector<uint8_t>(body.begin() + 1, body.end() - 1);
  }
  Result<std::vector<uint8_t>> encode(Bytes body, size_t) override {
    if (as_text(body) == "unspeakable") return fail(Code::kPluginFailed, "cannot say it");
    std::vector<uint8_t> out(body.begin(), body.end());
    out.insert(out.begin(), '<');
    out.push_back('>');
    return out;
  }
  std::string type = "text/plain";
  int decoded = 0;
};

class TestHandler final : public host::Handler {
 public:
  std::function<void(const host::Delivery&, host::ReplySink&)> on_message = [](const auto& delivery, auto& sink) {
    sink.reply(delivery.ticket, delivery.body, {});
  };
  size_t takes = 64;
  std::string seen, type_seen;
  size_t handle(std::span<const host::Delivery> batch, host::ReplySink& sink) override {
    size_t taken = 0;
    for (; taken < std::min(batch.size(), takes); ++taken) {
      seen = as_text(batch[taken].body);
      type_seen = "none";
      for (const wire::Header& header : batch[taken].headers) {
        if (header.name == "content-type") type_seen = header.value;
      }
      on_message(batch[taken], sink);
    }
    return taken;
  }
  std::string_view name() const override { return "test@1"; }
};

struct World : Dispatcher::Handlers, Dispatcher::Sessions {
  World() {
    pair.server->on_arrival = [this](const wire::Envelope& envelope, Bytes body) {
      dispatcher.submit(pair.server->session, {envelope, body});
    };
    pair.on_turn_end = [this] { dispatcher.run(); };
    pair.client->waiter.on_headers = [this](std::span<const wire::Header> headers) {
      reply_type = headers.size() == 1 ? headers[0].value : "";
    };
  }
  const routing::Target* find(wire::Kind, std::string_view) override {
    static constexpr routing::Target kTarget{0, 0};
    return &kTarget;
  }
  host::Handler* handler(uint32_t) override { return &one; }
  bool run_ready(host::ReplySink&) override { return false; }
  uint64_t version() const override { return 0; }
  bool translates() const override { return true; }
  host::Codec* codec(std::string_view type) override {
    return !codec_gone && type == bracketed.content_type() ? &bracketed : nullptr;
  }
  bool authorizes() const override { return bool(allows); }
  std::vector<bool> authorize(uint32_t, std::span<const host::Delivery> batch, host::ReplySink&) override {
    return std::vector<bool>(batch.size(), allows(batch.front()));
  }
  session::Session* find_session(session::SessionId) override { return &pair.server->session; }
  const host::SessionView* view_session(session::SessionId) override { return nullptr; }

  uint64_t begin(std::string_view body, std::string_view type = "text/bracketed",
                 wire::Kind kind = wire::Kind::kCommand) {
    const wire::Header header{"content-type", type};
    session::SendOptions options;
    if (!type.empty()) options.headers = {&header, 1};
    const auto waiting = pair.client->waiter.cookie(++cookies);
    if (kind == wire::Kind::kEvent) {
      REQUIRE(pair.client->session.send_event("x", as_bytes(body), options, waiting));
    } else {
      REQUIRE(pair.client->session.request(kind, "x", as_bytes(body), options, waiting));
    }
    return cookies;
  }
  testing::RecordingWaiter::Outcome ask(std::string_view body, std::string_view type = "text/bracketed",
                                        wire::Kind kind = wire::Kind::kCommand) {
    const uint64_t cookie = begin(body, type, kind);
    pair.run(20ms);
    REQUIRE(pair.client->waiter.settled(cookie));
    return pair.client->waiter.outcomes[cookie];
  }
  uint64_t failures(FailureStage stage, Code code) {
    return pair.server->metrics.message_failures[static_cast<size_t>(stage)][index_of(code)].value();
  }

  NullSink sink;
  Bracketed bracketed;
  bool codec_gone = false;
  std::function<bool(const host::Delivery&)> allows;
  TwoSessions pair;
  TestHandler one;
  app::DispatcherConfig config{.body_bytes_max = 1000};
  Dispatcher dispatcher{config, pair.time.clock, pair.server->metrics, Log(sink, "dispatch"), *this, *this};
  uint64_t cookies = 0;
  std::string reply_type;  ///< of the last reply
};

}  // namespace

TEST_CASE("a body is translated before its handler sees it, and the reply on its way back") {
  World world;
  const auto outcome = world.ask("<hello>");
  CHECK(world.one.seen == "hello");
  CHECK(world.one.type_seen == "text/plain");
  CHECK(outcome.code == Code::kOk);
  CHECK(outcome.body == "<hello>");
  CHECK(world.reply_type == "text/bracketed");
}

TEST_CASE("case and parameters of a content-type do not matter, and other types and none are left alone") {
  World world;
  CHECK(world.ask("<a>", "Text/Bracketed ; charset=utf-8").body == "<a>");
  CHECK(world.one.seen == "a");
  CHECK(world.ask("<b>", "text/plain").body == "<b>");
  CHECK(world.one.seen == "<b>");
  CHECK(world.ask("<c>", "").body == "<c>");
  CHECK(world.one.seen == "<c>");
}

TEST_CASE("a body that is not of its type is refused with a code, and its handler never sees it") {
  World world;
  for (const wire::Kind kind : {wire::Kind::kCommand, wire::Kind::kQuery, wire::Kind::kEvent}) {
    const auto outcome = world.ask("hello", "text/bracketed", kind);
    CHECK(outcome.code == Code::kBodyInvalid);
    if (kind != wire::Kind::kEvent) CHECK(outcome.text == "no brackets");
  }
  CHECK(world.one.seen == "");
  CHECK(world.failures(FailureStage::kRefused, Code::kBodyInvalid) == 3);
  CHECK(world.dispatcher.queued_bytes() == 0);
  CHECK(world.ask("<" + std::string(1001, 'x') + ">").code == Code::kMessageTooLarge);
  CHECK(world.ask("<" + std::string(1000, 'x') + ">").code == Code::kOk);
}

TEST_CASE("failures are not translated, nor replies that say another type") {
  World world;
  world.one.on_message = [](const auto& delivery, auto& sink) { sink.fail(delivery.ticket, Code::kForbidden, "no"); };
  CHECK(world.ask("<x>").text == "no");
  const wire::Header json{"content-type", "application/json"};
  world.one.on_message = [&](const auto& delivery, auto& sink) {
    sink.reply(delivery.ticket, as_bytes("{}"), {&json, 1});
  };
  const auto outcome = world.ask("<x>");
  CHECK(outcome.body == "{}");
  CHECK(world.reply_type == "application/json");
}

TEST_CASE("a reply that cannot be translated is a failure, and so is one whose codec has gone") {
  World world;
  CHECK(world.ask("<unspeakable>").code == Code::kPluginFailed);
  host::Ticket late;
  world.one.on_message = [&](const auto& delivery, auto& sink) {
    sink.suspend(delivery.ticket, true);
    late = delivery.ticket;
  };
  const uint64_t cookie = world.begin("<x>");
  world.pair.run(5ms);
  world.codec_gone = true;
  CHECK(world.dispatcher.reply(late, as_bytes("y"), {}) == host::ReplyOutcome::kAccepted);
  world.pair.run(5ms);
  CHECK(world.pair.client->waiter.outcomes[cookie].code == Code::kPluginFailed);
  CHECK(world.failures(FailureStage::kHandler, Code::kPluginFailed) == 2);
  CHECK(world.dispatcher.in_flight() == 0);
}

TEST_CASE("a reply that comes late, or from where a message was handed on to, is translated all the same") {
  World world;
  host::Ticket late;
  world.one.on_message = [&](const auto& delivery, auto& sink) {
    if (delivery.action == "x") {
      REQUIRE(sink.forward(delivery, "y"));
      return;
    }
    sink.suspend(delivery.ticket, true);
    late = delivery.ticket;
  };
  const uint64_t cookie = world.begin("<x>");
  world.pair.run(5ms);
  CHECK(world.one.seen == "x");
  CHECK(world.bracketed.decoded == 1);
  world.dispatcher.reply(late, as_bytes("y"), {});
  world.pair.run(5ms);
  CHECK(world.pair.client->waiter.outcomes[cookie].body == "<y>");
}

TEST_CASE("who says what is allowed sees the translated body, and what a handler gives back is not translated twice") {
  World world;
  std::vector<std::string> asked;
  world.allows = [&](const host::Delivery& delivery) {
    asked.emplace_back(as_text(delivery.body));
    return delivery.body.size() > 1;
  };
  CHECK(world.ask("<x>").code == Code::kForbidden);
  CHECK(world.failures(FailureStage::kRefused, Code::kForbidden) == 1);
  CHECK(asked == std::vector<std::string>{"x"});
  world.one.takes = 1;
  world.bracketed.decoded = 0;
  for (int i = 0; i < 5; ++i) world.begin("<many>");
  world.pair.run(50ms);
  CHECK(world.bracketed.decoded == 5);
  CHECK(world.dispatcher.queued_bytes() == 0);
  CHECK(world.pair.client->waiter.outcomes[world.cookies].body == "<many>");
}

TEST_CASE("a codec whose handlers see no type takes the header off") {
  World world;
  world.bracketed.type = "";
  CHECK(world.ask("<x>").body == "<x>");
  CHECK(world.one.type_seen == "none");
}

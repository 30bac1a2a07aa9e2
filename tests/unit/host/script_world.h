#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/prng.h"
#include "host/app.h"
#include "port/entropy.h"

namespace godwit::host::test {

class SetClock : public Clock {
 public:
  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return 1'700'000'000'250'000 + (now_ - from_ns(5'000'000'000)) / 1us; }
  void advance(Duration by) { now_ += by; }

 private:
  Timestamp now_ = from_ns(5'000'000'000);
};

class KeptLog : public LogSink {
 public:
  struct Line {
    LogLevel level;
    std::string text;
    std::map<std::string, std::string> fields;
  };
  LogLevel level(std::string_view) const override { return LogLevel::kTrace; }
  void write(const LogRecord& record) override {
    const std::lock_guard lock(mutex_);  // the watchdog has a thread of its own
    Line line{record.level, std::string(record.message), {}};
    for (const LogField& field : record.fields) line.fields[std::string(field.key)] = std::visit(ToText(), field.value);
    lines.push_back(std::move(line));
  }
  const Line* find(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    for (const Line& line : lines) {
      if (line.text == text) return &line;
    }
    return nullptr;
  }
  size_t count(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    size_t n = 0;
    for (const Line& line : lines) n += line.text == text;
    return n;
  }

  std::vector<Line> lines;

 private:
  mutable std::mutex mutex_;
  struct ToText {
    std::string operator()(std::string_view v) const { return std::string(v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    template <typename T>
    std::string operator()(T v) const {
      return std::to_string(v);
    }
  };
};

/// Keeps every verdict, and says stale to a second one as a dispatcher does.
class KeptVerdicts : public ReplySink {
 public:
  struct Verdict {
    enum class What { kReply, kFailure, kDone } what;
    uint64_t ticket;
    std::string text;  ///< body or failure text
    Code code = Code::kOk;
    std::vector<std::pair<std::string, std::string>> headers;
    Duration retry_after{};
  };
  ReplyOutcome reply(Ticket ticket, Bytes body, std::span<const wire::Header> headers) override {
    if (ticket.bits == stale) return ReplyOutcome::kStale;
    if (next_outcome != ReplyOutcome::kAccepted) return std::exchange(next_outcome, ReplyOutcome::kAccepted);
    Verdict verdict{Verdict::What::kReply, ticket.bits, std::string(as_text(body))};
    for (const wire::Header& header : headers) verdict.headers.emplace_back(header.name, header.value);
    verdicts.push_back(std::move(verdict));
    return ReplyOutcome::kAccepted;
  }
  ReplyOutcome fail(Ticket ticket, Code code, std::string_view text) override {
    verdicts.push_back({Verdict::What::kFailure, ticket.bits, std::string(text), code});
    return ReplyOutcome::kAccepted;
  }
  ReplyOutcome fail_for(Ticket ticket, Code code, std::string_view text, Duration retry_after) override {
    const ReplyOutcome outcome = fail(ticket, code, text);
    verdicts.back().retry_after = retry_after;
    return outcome;
  }
  void done(Ticket ticket) override { verdicts.push_back({Verdict::What::kDone, ticket.bits, {}}); }
  void suspend(Ticket ticket, bool ordered) override {
    suspended.emplace_back(ticket.bits, ordered);
    batch_over = true;
  }
  Status notify(const Delivery&, session::Bound place, const Outgoing& event) override {
    notified.push_back((place == session::Bound::kBefore ? "before " : "after ") + std::string(event.action) + " " +
                       std::string(as_text(event.body)));
    return {};
  }
  Status forward(const Delivery& delivery, std::string_view action) override {
    if (forward_outcome != Code::kOk) return godwit::fail(forward_outcome);
    forwarded.emplace_back(delivery.ticket.bits, action);
    return {};
  }
  bool enough() const override { return batch_over || verdicts.size() >= enough_after; }

  std::vector<Verdict> verdicts;
  std::vector<std::pair<uint64_t, bool>> suspended;         ///< ticket, ordered
  std::vector<std::pair<uint64_t, std::string>> forwarded;  ///< ticket, action
  std::vector<std::string> notified;                        ///< place, action, body
  uint64_t stale = 0;                                       ///< a ticket that is over
  Code forward_outcome = Code::kOk;
  bool batch_over = false;
  size_t enough_after = ~size_t{0};
  ReplyOutcome next_outcome = ReplyOutcome::kAccepted;
};

/// Bytes that look random and come again in every run; counts how often it was asked.
class CountedEntropy : public Entropy {
 public:
  void fill(MutableBytes out) override {
    ++asked;
    prng_.fill(out);
  }
  size_t asked = 0;

 private:
  Prng prng_{1};
};

/// An app from source text, and messages for it.
class ScriptWorld {
 public:
  ScriptWorld() { limits.burst_max = 20ms; }

  using Files = std::vector<AppSource::File>;
  Result<std::unique_ptr<App>> try_load(Files files, uint32_t generation = 1) {
    auto source = std::make_shared<AppSource>();
    source->name = "test";
    source->files = std::move(files);
    source->settings = settings;
    return load_app(std::move(source), generation, limits,
                    {.clock = clock,
                     .timers = timers,
                     .log = Log(log, "host"),
                     .watchdog = watchdog,
                     .worker_index = 3,
                     .mailbox = mailbox,
                     .pool = pool,
                     .services = services,
                     .kv = kv,
                     .once = once,
                     .entropy = &entropy,
                     .metrics = metrics,
                     .http = http});
  }
  void load(Files files) {
    auto loaded = try_load(std::move(files));
    INFO((loaded ? std::string() : loaded.error().to_string()));
    REQUIRE(loaded);
    app = std::move(*loaded);
    app->start();
  }
  /// main.lua with `gw` at hand.
  void load(const std::string& main) { load(Files{{"main.lua", "local gw = require 'godwit'; " + main}}); }

  std::string load_error(Files files) {
    auto loaded = try_load(std::move(files));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Code::kScriptLoadFailed);
    return loaded.error().text;
  }
  std::string load_error(const std::string& main) {
    return load_error(Files{{"main.lua", "local gw = require 'godwit'; " + main}});
  }

  /// A command for the first handler with this body; change what matters.
  Delivery command(std::string_view body) {
    const uint64_t id = ++last_id_;
    return {{id}, 0, wire::Kind::kCommand, {}, id, "do.it", {}, as_bytes(body), &session, kNever};
  }
  void handle(std::vector<Delivery> batch) {
    for (std::span<const Delivery> rest = batch; !rest.empty();) {
      sink.batch_over = false;
      rest = rest.subspan(app->handle(rest, sink));
    }
    sink.batch_over = false;
  }
  /// Time passes, timers fire, and what can go on goes on until it waits again.
  void pass(Duration by) {
    clock.advance(by);
    timers.run(clock.now());
    go_on();
  }
  void go_on() {
    sink.batch_over = false;
    for (int turns = 0; app->run_ready(sink) && turns < 10000; ++turns) continue;
  }

  /// Runs `body` as a handler of its own app and returns what it replied, or "Code: text" when it failed.
  std::string answer(const std::string& handler_body, std::string_view message = "hello") {
    load("gw.handle('do.it', function(msg, session) " + handler_body + " end)");
    sink.verdicts.clear();
    handle({command(message)});
    REQUIRE(sink.verdicts.size() == 1);
    const KeptVerdicts::Verdict& verdict = sink.verdicts[0];
    return verdict.what == KeptVerdicts::Verdict::What::kFailure ? name_of(verdict.code) + ": " + verdict.text
                                                                 : verdict.text;
  }
  /// The error that `code` raises inside of a handler, as the script sees it.
  std::string raised(const std::string& code) {
    return answer("local ok, err = pcall(function() " + code + " end) msg:reply(ok and 'nothing' or tostring(err))");
  }

  AppLimits limits;
  AppSettings settings;
  SetClock clock;
  TimerHeap timers;
  KeptLog log;
  std::shared_ptr<Watchdog> watchdog = make_watchdog();
  Services* services = nullptr;
  KvStore* kv = nullptr;
  Once* once = nullptr;
  CountedEntropy entropy;
  MetricStore* metrics = nullptr;
  HttpClient* http = nullptr;
  Mailbox* mailbox = nullptr;
  WorkPool* pool = nullptr;
  SessionView session{7, "device-7", "ada", "127.0.0.1:4242"};
  KeptVerdicts sink;
  std::unique_ptr<App> app;

 private:
  uint64_t last_id_ = 100;
};

}  // namespace godwit::host::test

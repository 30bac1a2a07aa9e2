#include "app/spec/spec_world.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace godwit::app {
namespace {

constexpr std::string_view kControlPrefix = "godwit.spec.";
/// A case may wait as long as it likes in its own time; what ends it are the bounds of SpecSetting.
constexpr Duration kAskTimeout = 24h * 40;
constexpr std::string_view kClientAddress = "127.0.0.1:40000";

/// What this process has used until now.
Duration processor_time() {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
}

uint64_t to_number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double to_seconds(std::string_view text) {
  double seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

std::string_view find_header(const std::map<std::string, std::string, std::less<>>& headers, std::string_view name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : found->second;
}

host::AppLimits spec_limits(const SpecSetting& setting) {
  host::AppLimits limits = setting.limits;
  limits.burst_max = setting.spec_burst_max;
  limits.cpu_max = setting.case_time_max;
  limits.load_timeout = setting.spec_burst_max;
  limits.handler_timeout = kAskTimeout;
  return limits;
}

}  // namespace

SpecWorld::SpecWorld(const SpecSetting& setting, LogSink& log)
    : setting_(setting),
      kv_(clock_, setting.kv),
      engine_(clock_, setting.store_bytes_max),
      once_(setting.once),
      app_({setting.core, clock_, timers_, Log(log, "app"), setting.watchdog, kv_, *store_, once_, entropy_,
            unit_metrics_}),
      spec_({setting.core, clock_, timers_, Log(log, "spec"), setting.watchdog, kv_, *store_, once_, entropy_,
             unit_metrics_}),
      promises_(setting.core.promises_max, clock_, timers_, metrics_, *this),
      control_({}, setting.core.session, {clock_, timers_, promises_, metrics_, blocks_, *this}),
      control_line_(setting.core.codec),
      began_(processor_time()),
      wait_until_(clock_.now() + setting.case_wait_max) {
  control_at_spec_ = *spec_.open({.client_id = "godwit test", .uid = "godwit test"}, {});
  control_line_.connect(control_, *spec_.find_session(control_at_spec_));
}

SpecWorld::~SpecWorld() = default;

Status SpecWorld::load_spec(const host::UnitSourcePtr& spec) { return spec_.load(spec, spec_limits(setting_)); }

Result<SpecWorld::Answer> SpecWorld::ask(wire::Kind kind, std::string_view action, std::string_view body) {
  answer_.reset();
  const auto asked = control_.request(kind, action, as_bytes(body), {.timeout = kAskTimeout}, {this, 0});
  if (!asked) return tl::unexpected(asked.error());
  while (!answer_) {
    if (Status stepped = step(); !stepped) return tl::unexpected(std::move(stepped.error()));
  }
  return std::move(*answer_);
}

void SpecWorld::on_reply(uint64_t, const session::Reply& reply) {
  if (reply.status != wire::Status::kSuccess) {
    answer_ = fail(reply.code, std::string(reply.text));
    return;
  }
  Answer answer{std::string(as_text(reply.body)), {}};
  for (const wire::Header& header : reply.headers) answer.headers.emplace(header.name, header.value);
  answer_ = std::move(answer);
}

/// The spec goes on only when its app has come to rest: what it then looks at has happened.
Status SpecWorld::step() {
  if (late()) {
    return fail(Code::kScriptTimeout,
                fmt::format("took more than {} s of processor time", setting_.case_time_max / Duration(1s)));
  }
  run_app();
  const bool busy = run_spec();
  app_.reap();
  spec_.reap();
  return busy ? Status() : move_time();
}

void SpecWorld::run_app() {
  bool busy = true;
  while (busy && !late()) {
    busy = app_.turn();
    busy |= deliver();
  }
}

bool SpecWorld::run_spec() {
  bool busy = spec_.turn();
  if (std::exchange(turn_wanted_, false)) control_.end_turn();
  busy |= deliver();
  return busy || turn_wanted_;
}

bool SpecWorld::deliver() {
  bool moved = false;
  if (session::Session* at_spec = spec_.find_session(control_at_spec_))
    moved = control_line_.deliver(control_, *at_spec);
  // Delivering may let another client in.
  for (size_t i = 0; i < clients_.size(); ++i) moved |= deliver(*clients_[i]);
  return end_sessions() || moved;
}

bool SpecWorld::deliver(Client& client) {
  session::Session* at_app = app_.find_session(client.at_app);
  session::Session* at_spec = spec_.find_session(client.at_spec);
  return at_app && at_spec && client.line->deliver(*at_app, *at_spec);
}

/// Sessions that one side has closed, now that what was queued for the other has arrived there.
bool SpecWorld::end_sessions() {
  bool ended = false;
  for (const auto& closing : app_.take_closing()) {
    for (const auto& client : clients_) {
      if (client->at_app == closing.session) end(*client, closing.code, closing.text);
    }
    ended = true;
  }
  for (const auto& closing : spec_.take_closing()) {
    for (const auto& client : clients_) {
      if (client->at_spec == closing.session) end(*client, closing.code, closing.text);
    }
    ended = true;
  }
  for (const auto& client : clients_) {
    const auto broken = client->line->broken();
    if (!broken || !app_.find_session(client->at_app)) continue;
    end(*client, broken->code, broken->text);
    ended = true;
  }
  return ended;
}

void SpecWorld::end(Client& client, Code code, std::string_view text) {
  app_.close(client.at_app, code, text);
  spec_.close(client.at_spec, code, text);
}

Status SpecWorld::move_time() {
  const Timestamp next = timers_.next();
  if (next > wait_until_) {
    return fail(Code::kScriptTimeout, fmt::format("waits for something that did not come within {} s of its time",
                                                  setting_.case_wait_max / Duration(1s)));
  }
  clock_.move_to(next);
  timers_.run(clock_.now());
  return {};
}

bool SpecWorld::late() const { return processor_time() - began_ > setting_.case_time_max; }

void SpecWorld::on_message(session::Session& session, session::Incoming message) {
  Headers headers;
  for (const wire::Header& header : message.envelope.headers) headers.emplace(header.name, header.value);
  std::string_view action = message.envelope.action;
  if (action.starts_with(kControlPrefix)) action.remove_prefix(kControlPrefix.size());
  const uint64_t seq = message.envelope.seq;
  if (action == "connect")
    connect(seq, headers);
  else if (action == "command")
    run_command(seq, headers);
  else
    respond(seq, serve(action, headers));
  session.handled(seq);
}

void SpecWorld::respond(uint64_t request, const Result<Answer>& answer) {
  if (!answer) {
    (void)control_.respond(request, {wire::Status::kFailure, answer.error().code, answer.error().text, {}, {}});
    return;
  }
  std::vector<wire::Header> headers;
  for (const auto& [name, value] : answer->headers) headers.push_back({name, value});
  (void)control_.respond(request, {wire::Status::kSuccess, Code::kOk, {}, headers, as_bytes(answer->body)});
}

Result<SpecWorld::Answer> SpecWorld::serve(std::string_view action, const Headers& headers) {
  const uint64_t id = to_number(find_header(headers, "id"));
  if (action == "disconnect") {
    return disconnect(session::SessionId::from_u64(to_number(find_header(headers, "line"))));
  }
  if (action == "attribute") return attribute(id, find_header(headers, "name"));
  if (action == "groups") return Answer{fmt::format("{}", fmt::join(app_.services().groups_of(id), "\n")), {}};
  if (action == "patience") {
    wait_until_ += std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(to_seconds(find_header(headers, "seconds"))));
    return Answer{};
  }
  return fail(Code::kHandlerNotFound, std::string(action));
}

/// The decision may take its time; what it is told to is answered then.
void SpecWorld::connect(uint64_t request, const Headers& headers) {
  const std::string_view named = find_header(headers, "address");
  const std::string address(named.empty() ? kClientAddress : named);
  const session::Credentials credentials{.client_id = std::string(find_header(headers, "client_id")),
                                         .uid = std::string(find_header(headers, "uid")),
                                         .token = std::string(find_header(headers, "token")),
                                         .agent = "godwit test",
                                         .certificate_name = std::string(find_header(headers, "certificate_name")),
                                         .address = address};
  app_.authenticate(credentials, [this, request, address](Result<session::Identity> identity) {
    respond(request,
            std::move(identity).and_then([&](session::Identity known) { return let_in(std::move(known), address); }));
  });
}

Result<SpecWorld::Answer> SpecWorld::let_in(session::Identity identity, const std::string& address) {
  // The spec's end of the line knows the client by the same names.
  session::Identity mirrored{.client_id = identity.client_id, .uid = identity.uid};
  const auto at_app = app_.open(std::move(identity), address);
  if (!at_app) return tl::unexpected(at_app.error());
  const auto at_spec = spec_.open(std::move(mirrored), address);
  if (!at_spec) return tl::unexpected(at_spec.error());
  clients_.push_back(
      std::make_unique<Client>(Client{*at_app, *at_spec, std::make_unique<LocalLine>(setting_.core.codec)}));
  clients_.back()->line->connect(*app_.find_session(*at_app), *spec_.find_session(*at_spec));
  app_.greet(*at_app);
  return Answer{{}, {{"id", fmt::format("{}", at_app->to_u64())}, {"line", fmt::format("{}", at_spec->to_u64())}}};
}

/// Its arguments are the headers "1", "2", …
void SpecWorld::run_command(uint64_t request, const Headers& headers) {
  std::vector<std::string> arguments;
  for (auto next = headers.find("1"); next != headers.end(); next = headers.find(std::to_string(arguments.size() + 1)))
    arguments.push_back(next->second);
  app_.app()->run_command(find_header(headers, "name"), arguments, [this, request](Result<std::string> result) {
    respond(request, std::move(result).map([](std::string json) { return Answer{std::move(json), {}}; }));
  });
}

Result<SpecWorld::Answer> SpecWorld::disconnect(session::SessionId at_spec) {
  for (const auto& client : clients_) {
    if (client->at_spec == at_spec) end(*client, Code::kConnectionLost, "the client went away");
  }
  return Answer{};
}

Result<SpecWorld::Answer> SpecWorld::attribute(host::SessionKey key, std::string_view name) {
  const auto value = app_.services().attribute(key, name);
  if (!value) return fail(Code::kTargetNotFound);
  if (const auto* text = std::get_if<std::string>(&*value)) return Answer{*text, {}};
  if (const auto* number = std::get_if<double>(&*value)) return Answer{fmt::format("{}", *number), {}};
  return Answer{std::get<bool>(*value) ? "true" : "false", {}};
}

}  // namespace godwit::app

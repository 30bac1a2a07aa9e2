#include "client/caller.h"

#include <algorithm>

#include "client/client_id.h"

namespace godwit::client {
namespace {

/// How long the goodbye may take to reach a server that answers.
constexpr Duration kGoodbyeTimeoutMax = 500ms;

/// Names a command beyond sessions and connections (schema/README.md, §5).
constexpr const char* kKeyHeader = "idempotency-key";

/// The session takes no more at present: the call waits, its deadline bounds how long.
bool must_wait(Code code) {
  return code == Code::kQueueFull || code == Code::kPromiseLimit || code == Code::kStreamLimit;
}

wire::Priority to_wire(CallOptions::Priority priority) {
  switch (priority) {
    case CallOptions::Priority::kLow: return wire::Priority::kLow;
    case CallOptions::Priority::kHigh: return wire::Priority::kHigh;
    case CallOptions::Priority::kCritical: return wire::Priority::kCritical;
    case CallOptions::Priority::kNormal: break;
  }
  return wire::Priority::kNormal;
}

session::Order order_of(const CallOptions& options) {
  if (options.unreliable) return session::Order::kUnreliable;
  return options.unordered ? session::Order::kUnordered : session::Order::kOrdered;
}

Message::Kind from_wire(wire::Kind kind) {
  if (kind == wire::Kind::kEvent) return Message::Kind::kEvent;
  return kind == wire::Kind::kQuery ? Message::Kind::kQuery : Message::Kind::kCommand;
}

Code code_of(StopReason reason) {
  switch (reason) {
    case StopReason::kLogout: return Code::kLoggedOut;
    case StopReason::kAppClose: return Code::kAppClosed;
    case StopReason::kSwitchAccount: return Code::kAccountSwitched;
    case StopReason::kNone: break;
  }
  return Code::kPeerClosed;
}

}  // namespace

namespace {

/// The session is gone, and what became of the call is not known: a durable one is asked again.
bool asks_again(Code code) {
  return code == Code::kSessionLost || code == Code::kSessionRestored || code == Code::kConnectionLost ||
         code == Code::kServerDraining;
}

bool has_key(const Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& one) { return one.first == kKeyHeader; });
}

}  // namespace

struct Caller::Pending {
  Pending(Call what, std::function<void(Timestamp)> on_deadline)
      : call(std::move(what)), deadline_timer(std::move(on_deadline)) {}
  Call call;
  Timer deadline_timer;
  uint64_t message_id = 0;  ///< once it is sent
  session::SessionId session;
};

Caller::Caller(ClientOptions options, std::atomic<size_t>& pending)
    : options_(std::move(options)), pending_(pending), linger_timer_([this](Timestamp) {
        complete_all({Code::kCancelled, "the client was closed"});
      }) {}

Caller::~Caller() = default;

Status Caller::open() {
  auto address = HostAndPort::parse(options_.address);
  if (!address) return tl::unexpected(std::move(address.error()));
  address_ = std::move(*address);
  credentials_ = {.client_id = options_.client_id.empty() ? make_client_id("client", entropy_) : options_.client_id,
                  .uid = options_.uid,
                  .token = options_.token};
  const ClientLoopOptions loop_options{.core = {.keep_sessions = options_.reconnect},
                                       .tls = {.verify = !options_.insecure,
                                               .ca_file = options_.ca_file,
                                               .certificate_file = options_.certificate_file,
                                               .key_file = options_.key_file}};
  auto loop = ClientLoop::create(loop_options, Log(quiet_, "client"), *this);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  loop_ = std::move(*loop);
  const Clock& clock = loop_->loop();
  Reconnector::Connections& connections = *this;
  Reconnector::Owner& owner = *this;
  reconnector_.emplace(
      Reconnector::Options{.connect_timeout = options_.connect_timeout, .reconnect = options_.reconnect}, clock,
      loop_->loop().timers(), entropy_, connections, owner);
  return {};
}

void Caller::run() {
  if (!stopped_) loop_->run();
  say_goodbye();
  loop_->linger(kGoodbyeTimeoutMax);
}

void Caller::run_due() {
  loop_->loop().run_due();
  if (!stopped_ || said_goodbye_) return;
  say_goodbye();
  loop_->loop().run_due();
}

void Caller::say_goodbye() {
  if (std::exchange(said_goodbye_, true)) return;
  reconnector_->close();
  loop_->close_all();
}

void Caller::take(std::vector<Call> calls) {
  for (Call& call : calls) {
    const Timestamp deadline = call.deadline;
    if (call.options.durable && call.kind == Call::Kind::kRequest && !has_key(call.options.headers))
      call.options.headers.emplace_back(kKeyHeader, make_client_id("durable", entropy_));
    const PendingId id = calls_.emplace_with([&](PendingId self) {
      return std::make_unique<Pending>(std::move(call), [this, self](Timestamp) {
        complete(self, to_reply(Error{Code::kDeadlineExceeded, "no answer in time"}));
      });
    });
    loop_->loop().timers().arm(calls_.get(id)->deadline_timer, deadline);
    pending_calls_[calls_.get(id)->call.id] = id;
    waiting_.push_back(id);
  }
  if (!waiting_.empty()) reconnector_->start();
}

void Caller::withdraw(CallId call) {
  const auto found = pending_calls_.find(call);
  if (found == pending_calls_.end()) return;
  const PendingId id = found->second;
  const Pending& pending = *calls_.get(id);
  const bool request = pending.call.kind == Call::Kind::kRequest && pending.message_id != 0;
  // Its waiter hears it, and then there is nothing left to complete.
  if (session::Session* session = request ? loop_->session(pending.session) : nullptr)
    session->cancel(pending.message_id);
  complete(id, to_reply(Error{Code::kCancelled, "the caller withdrew it"}));
}

void Caller::look_up(std::function<void(const Result<Remote>&)> done) { loop_->look_up(address_, std::move(done)); }

DialId Caller::dial(const Remote& remote, Duration timeout, session::SessionId resume) {
  return loop_->dial(0, remote, credentials_, timeout, resume);
}

void Caller::on_dialed(uint64_t, PeerId peer, const Entry& entry) { reconnector_->on_dialed(peer, entry); }

void Caller::on_dial_failed(uint64_t, const Error& why) { reconnector_->on_dial_failed(why); }

void Caller::on_disconnected(uint64_t, PeerId, const Error& why, session::SessionId kept) {
  if (why.code == Code::kIdleTimeout) tell({.kind = ClientEvent::Kind::kHeartbeatTimeout}, why);
  reconnector_->on_disconnected(why, kept);
}

void Caller::on_goodbye(PeerId, const wire::Goodbye& goodbye) { reconnector_->on_goodbye(goodbye); }

void Caller::on_entered(PeerId, const Entry& entry) {
  if (!options_.on_event || entry.kind == Entry::Kind::kNew) return;
  const bool resumed = entry.kind == Entry::Kind::kResumed;
  tell({.kind = resumed ? ClientEvent::Kind::kResumed : ClientEvent::Kind::kSessionLost}, {entry.lost, {}});
}

void Caller::on_state(Reconnector::State state, const Error& why) {
  using State = Reconnector::State;
  switch (state) {
    // Nobody tries any more; the next call does.
    case State::kIdle:
      complete_all(why);
      tell({.kind = ClientEvent::Kind::kDisconnected}, why);
      break;
    case State::kConnecting: tell({.kind = ClientEvent::Kind::kConnecting}, why); break;
    case State::kConnected: tell({.kind = ClientEvent::Kind::kConnected}, why); break;
    case State::kDraining: tell({.kind = ClientEvent::Kind::kDraining}, why); break;
    case State::kClosed: tell({.kind = ClientEvent::Kind::kClosed}, why); break;
  }
}

void Caller::tell(ClientEvent event, const Error& why) {
  if (!options_.on_event) return;
  event.reconnects = reconnector_->reconnects();
  event.code = static_cast<uint16_t>(why.code);
  event.name = why.code == Code::kOk ? std::string() : name_of(why.code);
  event.text = why.text;
  options_.on_event(event);
}

void Caller::tell_message(ClientEvent::Kind kind, std::string_view action, const Error& why) {
  if (options_.message_events) tell({.kind = kind, .action = std::string(action)}, why);
}

void Caller::on_turn() {
  pump();
  calls_.reap();
  if (closing_ && calls_.size() == 0 && !std::exchange(stopped_, true)) loop_->stop();
}

void Caller::pump() {
  while (connected() && !waiting_.empty()) {
    const PendingId id = waiting_.front();
    if (Pending* pending = calls_.get(id)) {
      const auto sent = send(id, pending->call);
      const bool durable = pending->call.options.durable;
      if (!sent && (must_wait(sent.error().code) || (durable && asks_again(sent.error().code)))) return;
      if (pending->call.kind != Call::Kind::kConnect)
        tell_message(ClientEvent::Kind::kSent, pending->call.action, sent ? Error{Code::kOk, {}} : sent.error());
      if (!sent) complete(id, to_reply(sent.error()));
      pending->message_id = sent.value_or(0);
      pending->session = loop_->session_id(reconnector_->peer());
    }
    waiting_.pop_front();
  }
}

/// The number of its message; 0: it is through already.
Result<uint64_t> Caller::send(PendingId id, const Call& call) {
  if (call.kind == Call::Kind::kConnect) {
    complete(id, {.status = Reply::Status::kSuccess});
    return 0;
  }
  session::Session* session = loop_->session(reconnector_->peer());
  if (!session) return fail(Code::kConnectionLost, "the connection is closing");
  std::vector<wire::Header> headers;
  for (const auto& [name, value] : call.options.headers) headers.push_back({name, value});
  const session::SendOptions send_options{.headers = headers,
                                          .timeout = call.deadline - loop_->loop().now(),
                                          .ttl = call.options.ttl,
                                          .priority = to_wire(call.options.priority),
                                          .order = order_of(call.options)};
  const session::Waiting waiting{this, id.to_u64()};
  const Bytes body = as_bytes(call.body);
  if (call.kind == Call::Kind::kEvent && call.options.unreliable) {
    const auto sent = session->send_event(call.action, body, send_options, {});
    if (!sent) return tl::unexpected(sent.error());
    complete(id, {.status = Reply::Status::kSuccess});
    return 0;
  }
  if (call.kind == Call::Kind::kEvent) return session->send_event(call.action, body, send_options, waiting);
  const wire::Kind kind = call.options.kind == CallOptions::Kind::kQuery ? wire::Kind::kQuery : wire::Kind::kCommand;
  return session->request(kind, call.action, body, send_options, waiting);
}

void Caller::on_reply(uint64_t call, const session::Reply& reply) {
  const PendingId id = PendingId::from_u64(call);
  const Pending* pending = calls_.get(id);
  const bool again = pending && pending->call.options.durable && reply.status != wire::Status::kSuccess &&
                     asks_again(reply.code) && !closing_;
  if (!again) return complete(id, to_reply(reply));
  // Its key sees to it that it is executed once.
  waiting_.push_back(id);
}

// The callback is the user's: one that throws ends the program here, instead of unwinding through the loop.
void Caller::complete(PendingId id, Reply reply) noexcept {
  Pending* pending = calls_.get(id);
  if (!pending) return;
  loop_->loop().timers().disarm(pending->deadline_timer);
  if (reply.status == Reply::Status::kTimeout) {
    tell({.kind = ClientEvent::Kind::kPromiseTimeout, .action = pending->call.action},
         {static_cast<Code>(reply.code), reply.text});
  }
  const Client::OnReply on_reply = std::move(pending->call.on_reply);
  pending_calls_.erase(pending->call.id);
  calls_.erase(id);
  pending_.fetch_sub(1, std::memory_order_relaxed);
  on_reply(std::move(reply));
}

void Caller::complete_all(const Error& why) {
  calls_.for_each([&](PendingId id, Pending&) { complete(id, to_reply(why)); });
  waiting_.clear();
}

void Caller::wind_up(StopReason reason) {
  goodbye_ = code_of(reason);
  closing_ = true;
  loop_->loop().timers().arm(linger_timer_, loop_->loop().now() + options_.linger);
}

void Caller::on_message(PeerId peer, session::Session& session, const session::Incoming& message) {
  tell_message(ClientEvent::Kind::kReceived, message.envelope.action, {Code::kOk, {}});
  if (!options_.on_message) return ClientLoop::Owner::on_message(peer, session, message);
  const wire::Envelope& envelope = message.envelope;
  Message view{.kind = from_wire(envelope.kind), .action = envelope.action, .body = as_text(message.body)};
  for (const wire::Header& header : envelope.headers) view.headers.emplace_back(header.name, header.value);
  const Reply answer = options_.on_message(view);
  const Code code = answer.ok() ? Code::kOk : Code{answer.code ? answer.code : uint16_t(Code::kHandlerFailed)};
  if (!wire::is_request(envelope.kind)) {
    return answer.ok() ? session.handled(envelope.seq) : session.refuse(envelope.seq, code, answer.text);
  }
  std::vector<wire::Header> headers;
  for (const auto& [name, value] : answer.headers) headers.push_back({name, value});
  const uint64_t request_id = envelope.message_id();
  session.handled(envelope.seq);
  // When not even the answer can be sent, the session has ended the connection.
  (void)session.respond(request_id, {answer.ok() ? wire::Status::kSuccess : wire::Status::kFailure, code, answer.text,
                                     headers, as_bytes(answer.body)});
}

}  // namespace godwit::client

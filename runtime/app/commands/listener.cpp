#include "app/commands/listener.h"

#include <csignal>

namespace godwit::app {
namespace {

/// How long the last answers and the goodbye may take to reach a server that answers.
constexpr Duration kGoodbyeTimeoutMax = 500ms;

}  // namespace

Error Listener::run(Log log) {
  if (Status started = start(log); !started) return started.error();
  loop_->run();
  loop_->linger(kGoodbyeTimeoutMax);
  deadline_.reset();
  signals_.reset();
  return outcome_;
}

Status Listener::start(Log log) {
  auto loop = client::ClientLoop::create({.tls = options_.connect.tls()}, log, *this);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  loop_ = std::move(*loop);
  auto signals = io::SignalWatcher::watch(loop_->loop(), {SIGINT, SIGTERM}, [this](int) {
    finish({Code::kCancelled, "interrupted"});
  });
  if (!signals) return tl::unexpected(std::move(signals.error()));
  signals_ = std::move(*signals);
  deadline_.emplace([this](Timestamp) {
    finish(ready_ ? Error{Code::kOk, {}} : Error{Code::kConnectTimeout, "no connection in time"});
  });
  loop_->loop().timers().arm(*deadline_, loop_->loop().measure() + options_.connect.timeout);
  loop_->look_up(options_.connect.address, [this](const Result<client::Remote>& remote) {
    if (!remote) return finish(remote.error());
    dial_ = loop_->dial(0, *remote, options_.connect.credentials, options_.connect.timeout);
  });
  return {};
}

void Listener::on_dialed(uint64_t, client::PeerId peer, const client::Entry&) {
  if (Status begun = begin(*loop_->session(peer)); !begun) finish(begun.error());
  if (unanswered_ == 0) listen();
}

Status Listener::begin(session::Session& session) {
  std::vector<wire::Header> headers;
  for (const auto& [name, value] : options_.first_headers) headers.push_back({name, value});
  for (const auto& [action, body] : options_.first) {
    const auto sent = session.request(wire::Kind::kCommand, action, as_bytes(body),
                                      {.headers = headers, .timeout = options_.connect.timeout}, {this});
    if (!sent) return tl::unexpected(sent.error());
    ++unanswered_;
  }
  return {};
}

void Listener::on_reply(uint64_t, const session::Reply& reply) {
  if (reply.status != wire::Status::kSuccess) return finish({reply.code, std::string(reply.text)});
  if (--unanswered_ == 0) listen();
}

void Listener::listen() {
  if (finished_) return;
  ready_ = true;
  TimerHeap& timers = loop_->loop().timers();
  timers.arm(*deadline_, options_.duration > Duration::zero() ? loop_->loop().now() + options_.duration : kNever);
  on_ready_();
}

void Listener::on_dial_failed(uint64_t, const Error& why) { finish(why); }

void Listener::on_disconnected(uint64_t, client::PeerId, const Error& why, session::SessionId) { finish(why); }

void Listener::on_message(client::PeerId peer, session::Session& session, const session::Incoming& message) {
  const wire::Envelope& envelope = message.envelope;
  if (finished_ || !options_.pattern.matches(envelope.kind, envelope.action)) {
    return client::ClientLoop::Owner::on_message(peer, session, message);
  }
  show_(envelope, message.body);
  answer(session, envelope);
  if (++taken_ == options_.count) finish({Code::kOk, {}});
}

void Listener::answer(session::Session& session, const wire::Envelope& envelope) {
  const uint64_t request = envelope.message_id();
  const bool is_request = wire::is_request(envelope.kind);
  session.handled(envelope.seq);
  if (!is_request) return;
  // When not even the answer can be sent, the session has ended the connection.
  if (options_.reply) {
    (void)session.respond(request, {wire::Status::kSuccess, Code::kOk, {}, {}, as_bytes(*options_.reply)});
  } else {
    (void)session.respond(request, {wire::Status::kFailure, Code::kNoReply, "this client only listens", {}, {}});
  }
}

void Listener::finish(Error outcome) {
  if (std::exchange(finished_, true)) return;
  outcome_ = std::move(outcome);
  loop_->cancel(dial_);
  loop_->close_all();
  loop_->stop();
}

}  // namespace godwit::app

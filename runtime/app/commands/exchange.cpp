#include "app/commands/exchange.h"

#include <csignal>

#include "app/commands/print.h"

namespace godwit::app {
namespace {

/// How long the goodbye may take to reach a server that answers; one that does not is not waited for.
constexpr Duration kGoodbyeTimeoutMax = 500ms;

std::string retry_advice(const session::Reply& reply) {
  for (const wire::Header& header : reply.headers) {
    if (reply.status == wire::Status::kFailure && header.name == wire::kRetryAfterHeader)
      return "; try again in " + std::string(header.value) + " s";
  }
  return {};
}

}  // namespace

ExitCode Outcome::exit_code() const {
  if (status == wire::Status::kSuccess) return ExitCode::kOk;
  if (error.code == Code::kCancelled) return ExitCode::kInterrupted;
  if (stage == Stage::kRefusedHere) return ExitCode::kUsage;
  if (stage == Stage::kConnecting || status == wire::Status::kTimeout) return ExitCode::kUnreachable;
  return exit_code_of(error.code);
}

Outcome Exchange::run(Log log) {
  if (Status started = start(log); !started) {
    outcome_.error = std::move(started.error());
    return outcome_;
  }
  loop_->run();
  loop_->linger(kGoodbyeTimeoutMax);
  deadline_.reset();
  signals_.reset();
  return std::move(outcome_);
}

Status Exchange::start(Log log) {
  auto loop = client::ClientLoop::create({.tls = options_.tls()}, log, *this);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  loop_ = std::move(*loop);
  auto signals = io::SignalWatcher::watch(loop_->loop(), {SIGINT, SIGTERM}, [this](int) {
    settle(wire::Status::kFailure, {Code::kCancelled, "interrupted"});
  });
  if (!signals) return tl::unexpected(std::move(signals.error()));
  signals_ = std::move(*signals);
  outcome_.stage = Outcome::Stage::kConnecting;
  began_ = loop_->loop().measure();
  deadline_.emplace([this](Timestamp) { on_deadline(); });
  loop_->loop().timers().arm(*deadline_, began_ + options_.timeout);
  loop_->look_up(options_.address, [this](const Result<client::Remote>& remote) {
    if (!remote) return settle(wire::Status::kFailure, remote.error());
    dial_ = loop_->dial(0, *remote, options_.credentials, options_.timeout);
  });
  return {};
}

void Exchange::on_dialed(uint64_t, client::PeerId peer, const client::Entry&) {
  sent_at_ = loop_->loop().measure();
  outcome_.connect_time = sent_at_ - began_;
  outcome_.stage = Outcome::Stage::kSent;
  peer_ = peer;
  const auto sent = send(*loop_->session(peer));
  request_ = sent.value_or(0);
  if (!sent) {
    outcome_.stage = Outcome::Stage::kRefusedHere;
    settle(wire::Status::kFailure, sent.error());
  }
}

/// The handler hears that nobody waits for its answer.
void Exchange::withdraw() {
  session::Session* session = request_ ? loop_->session(peer_) : nullptr;
  if (session && wire::is_request(message_.kind)) session->cancel(request_);
}

Result<uint64_t> Exchange::send(session::Session& session) {
  const std::vector<wire::Header> headers = message_.header_views();
  session::SendOptions send_options = message_.send_options(headers);
  send_options.timeout = options_.timeout - outcome_.connect_time;
  if (message_.unreliable) {
    auto sent = session.send_event(message_.action, as_bytes(body_), send_options, {});
    if (sent) settle(wire::Status::kSuccess, {});
    return sent;
  }
  if (!wire::is_request(message_.kind))
    return session.send_event(message_.action, as_bytes(body_), send_options, {this});
  return session.request(message_.kind, message_.action, as_bytes(body_), send_options, {this});
}

void Exchange::on_dial_failed(uint64_t, const Error& why) { settle(wire::Status::kFailure, why); }

// Whoever waited for the reply has been told already, with the same reason.
void Exchange::on_disconnected(uint64_t, client::PeerId, const Error& why, session::SessionId) {
  settle(wire::Status::kFailure, why);
}

void Exchange::on_reply(uint64_t, const session::Reply& reply) {
  if (settled_) return;
  outcome_.round_trip = loop_->loop().measure() - sent_at_;
  outcome_.body = as_text(reply.body);
  for (const wire::Header& header : reply.headers) outcome_.headers.emplace_back(header.name, header.value);
  settle(reply.status, {reply.code, std::string(reply.text) + retry_advice(reply)});
}

void Exchange::on_deadline() {
  if (outcome_.stage == Outcome::Stage::kConnecting)
    return settle(wire::Status::kTimeout,
                  {Code::kConnectTimeout, "no connection to " + options_.address.host + ":" +
                                              std::to_string(options_.address.port) + " in time"});
  settle(wire::Status::kTimeout, {Code::kDeadlineExceeded, "no answer in time"});
}

void Exchange::settle(wire::Status status, Error error) {
  if (std::exchange(settled_, true)) return;
  outcome_.status = status;
  outcome_.error = std::move(error);
  if (outcome_.error.code == Code::kCancelled) withdraw();
  loop_->cancel(dial_);
  loop_->close_all();
  loop_->stop();
}

}  // namespace godwit::app

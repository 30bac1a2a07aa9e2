#include "client/client_front.h"

namespace godwit {
namespace {

using client::Call;

/// A callback that fulfils `future`.
Client::OnReply fulfil(std::future<Reply>& future) {
  const auto promise = std::make_shared<std::promise<Reply>>();
  future = promise->get_future();
  return [promise](Reply reply) { promise->set_value(std::move(reply)); };
}

Call make_call(Call::Kind kind, std::string_view action, std::string_view body, CallOptions options,
               Client::OnReply on_reply) {
  return {.kind = kind,
          .action = std::string(action),
          .body = std::string(body),
          .options = std::move(options),
          .on_reply = std::move(on_reply)};
}

}  // namespace

Client::Client(ClientOptions options) : front_(std::make_unique<client::Front>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

std::future<Reply> Client::connected() {
  std::future<Reply> future;
  front_->submit({.kind = Call::Kind::kConnect, .on_reply = fulfil(future)});
  return future;
}

std::future<Reply> Client::request(std::string_view action, std::string_view body, CallOptions options) {
  std::future<Reply> future;
  request(action, body, std::move(options), fulfil(future));
  return future;
}

CallId Client::request(std::string_view action, std::string_view body, CallOptions options, OnReply on_reply) {
  return front_->submit(make_call(Call::Kind::kRequest, action, body, std::move(options), std::move(on_reply)));
}

std::future<Reply> Client::send(std::string_view action, std::string_view body, CallOptions options) {
  std::future<Reply> future;
  send(action, body, std::move(options), fulfil(future));
  return future;
}

CallId Client::send(std::string_view action, std::string_view body, CallOptions options, OnReply on_reply) {
  return front_->submit(make_call(Call::Kind::kEvent, action, body, std::move(options), std::move(on_reply)));
}

void Client::cancel(CallId call) { front_->cancel(call); }

void Client::reconnect_now() { front_->hurry(); }

void Client::close(StopReason reason) { front_->close(reason); }

int Client::event_fd() const { return front_->descriptor(); }

void Client::process() { front_->process(); }

}  // namespace godwit

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands/connect_options.h"
#include "app/commands/message_options.h"
#include "io/signal_watcher.h"
#include "session/reply.h"

namespace godwit::app {

/// What became of one message, in values that outlive the connection.
struct Outcome {
  wire::Status status = wire::Status::kFailure;
  Error error{Code::kOk, {}};  ///< of status other than success
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration connect_time{};  ///< from the first packet to Welcome; 0: never connected
  Duration round_trip{};    ///< from sending to the answer; 0: none came
  enum class Stage : uint8_t { kSetUp, kConnecting, kRefusedHere, kSent } stage = Stage::kSetUp;

  ExitCode exit_code() const;
};

/// One message over one connection: look up, connect, send, wait, say goodbye. The timeout covers it all; Ctrl-C ends
/// it in good order.
class Exchange final : private client::ClientLoop::Owner, private session::ReplyWaiter {
 public:
  Exchange(const ConnectOptions& options, const MessageOptions& message, std::string body)
      : options_(options), message_(message), body_(std::move(body)) {}

  Outcome run(Log log);

 private:
  void on_dialed(uint64_t cookie, client::PeerId peer, const client::Entry& entry) override;
  void on_dial_failed(uint64_t cookie, const Error& why) override;
  void on_disconnected(uint64_t cookie, client::PeerId peer, const Error& why, session::SessionId kept) override;
  void on_reply(uint64_t cookie, const session::Reply& reply) override;

  Status start(Log log);
  Result<uint64_t> send(session::Session& session);
  void withdraw();
  void on_deadline();
  void settle(wire::Status status, Error error);

  const ConnectOptions& options_;
  const MessageOptions& message_;
  const std::string body_;
  std::unique_ptr<client::ClientLoop> loop_;
  std::unique_ptr<io::SignalWatcher> signals_;
  std::optional<Timer> deadline_;
  client::DialId dial_;
  client::PeerId peer_;
  uint64_t request_ = 0;  ///< once it was sent
  Timestamp began_{};
  Timestamp sent_at_{};
  bool settled_ = false;
  Outcome outcome_;
};

}  // namespace godwit::app

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands/connect_options.h"
#include "io/signal_watcher.h"
#include "routing/pattern.h"
#include "session/session.h"

namespace godwit::app {

struct ListenOptions {
  ConnectOptions connect;
  /// Commands to begin with, action and body: to log in, to join. One that fails ends it.
  std::vector<std::pair<std::string, std::string>> first_headers;
  std::vector<std::pair<std::string, std::string>> first;
  routing::Pattern pattern;          ///< what else comes is refused with HandlerNotFound
  uint64_t count = 0;                ///< ends after so many messages; 0: goes on
  Duration duration{};               ///< ends after so long; 0: goes on
  std::optional<std::string> reply;  ///< the body that answers commands and queries; none: they are refused
};

/// One connection that takes what the server sends: each message is shown, then acknowledged or answered. Ends when it
/// has enough, at Ctrl-C, and when the connection ends.
class Listener final : private client::ClientLoop::Owner, private session::ReplyWaiter {
 public:
  using Show = std::function<void(const wire::Envelope& envelope, Bytes body)>;
  /// `on_ready` runs once the server has let us in and answered what we began with: from then on nothing is missed.
  Listener(const ListenOptions& options, std::function<void()> on_ready, Show show)
      : options_(options), on_ready_(std::move(on_ready)), show_(std::move(show)) {}

  /// kOk when it ended as wanted, else why.
  Error run(Log log);

 private:
  void on_dialed(uint64_t cookie, client::PeerId peer, const client::Entry& entry) override;
  void on_dial_failed(uint64_t cookie, const Error& why) override;
  void on_disconnected(uint64_t cookie, client::PeerId peer, const Error& why, session::SessionId kept) override;
  void on_message(client::PeerId peer, session::Session& session, const session::Incoming& message) override;

  void on_reply(uint64_t cookie, const session::Reply& reply) override;

  Status start(Log log);
  Status begin(session::Session& session);
  void listen();
  void answer(session::Session& session, const wire::Envelope& envelope);
  void finish(Error outcome);

  const ListenOptions& options_;
  const std::function<void()> on_ready_;
  const Show show_;
  std::unique_ptr<client::ClientLoop> loop_;
  std::unique_ptr<io::SignalWatcher> signals_;
  std::optional<Timer> deadline_;
  client::DialId dial_;
  size_t unanswered_ = 0;  ///< of what we began with
  bool ready_ = false;
  bool finished_ = false;
  uint64_t taken_ = 0;
  Error outcome_{Code::kOk, {}};
};

}  // namespace godwit::app

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "session/session.h"

namespace CLI {
class App;
}

namespace godwit::app {

/// The message that a verb sends, as flags.
using Headers = std::vector<std::pair<std::string, std::string>>;
/// --header NAME=VALUE, any number of times.
void add_headers(CLI::App& verb, const std::string& help, Headers& headers);

struct MessageOptions {
  wire::Kind kind = wire::Kind::kCommand;
  std::string action;
  std::string body_source;  ///< TEXT, @FILE, or - for standard input
  std::vector<std::pair<std::string, std::string>> headers;
  wire::Priority priority = wire::Priority::kNormal;
  bool unordered = false;
  bool unreliable = false;
  Duration ttl{};

  /// Adds ACTION and the flags that all messages have.
  void add_to(CLI::App& verb);
  /// Adds --unreliable, for events.
  void add_unreliable_to(CLI::App& verb);
  /// Adds --idempotency-key, for commands.
  void add_key_to(CLI::App& verb);
  /// Adds --kind command|query, for messages that are answered.
  void add_kind_to(CLI::App& verb);

  /// The bytes to send. FileUnreadable, MessageTooLarge.
  Result<std::string> read_body() const;
  /// `headers` as the session takes them; they borrow from this object.
  std::vector<wire::Header> header_views() const;
  session::SendOptions send_options(std::span<const wire::Header> header_views) const;
};

}  // namespace godwit::app

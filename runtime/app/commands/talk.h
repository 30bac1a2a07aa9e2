#pragma once

#include <godwit/client.hpp>
#include <optional>
#include <string>

#include "app/commands/connect_options.h"
#include "app/commands/console.h"

namespace godwit::app {

/// A conversation with a server, line by line: what is entered is sent, what comes is shown. One call at a time, so
/// that a script's lines are answered in their order.
class Talk {
 public:
  Talk(Console& console, const ConnectOptions& options);

  /// Until the input ends, /quit, or Ctrl-C.
  ExitCode run();

 private:
  struct Counts {
    uint64_t calls = 0, ok = 0, failed = 0, pushed = 0, connections = 0, resumed = 0;
  };

  void connect();
  void disconnect();
  void on_line(std::string_view line);
  void refuse_line();
  void on_command(std::string_view name, std::string_view rest);
  enum class Kind : uint8_t { kCommand, kQuery, kEvent };
  void call(Kind kind, std::string_view action, std::string_view body);
  void on_reply(const godwit::Reply& reply, std::chrono::nanoseconds took);
  godwit::Reply on_message(const godwit::Message& message);
  void tell(const godwit::ClientEvent& event);
  void show_stats();

  Console& console_;
  const ConnectOptions& options_;
  const std::string address_;
  Counts counts_;
  std::optional<Duration> last_round_trip_;
  bool waiting_ = false;  ///< for the reply to the last call
  bool done_ = false;
  bool decided_ = false;                  ///< connected, or given up
  std::optional<godwit::Client> client_;  ///< its thread posts to the console
};

}  // namespace godwit::app

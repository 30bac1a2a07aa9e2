#pragma once

#include <optional>
#include <string>

#include "app/commands/connect_options.h"
#include "wire/message.h"

namespace godwit::app {

enum class BenchPattern : uint8_t { kRequest, kEvent, kConnect, kIdle, kResume };
std::string_view name_of(BenchPattern pattern);

/// What `godwit bench` is asked to do. Where both count and duration are given, whichever ends first ends it.
struct BenchOptions {
  /// More would run into the bound of unacknowledged messages of a session.
  static constexpr uint32_t kInFlightMax = 1000;

  ConnectOptions connect;
  BenchPattern pattern = BenchPattern::kRequest;
  uint32_t clients = 1;
  uint32_t in_flight = 1;  ///< per client; of pattern connect and idle: handshakes at one time
  uint64_t size_bytes = 64;
  std::optional<Duration> duration;  ///< default: 5 s where no count is given
  std::optional<uint64_t> count;
  double rate_per_s = 0;  ///< over all clients; 0: as fast as answers come
  std::string action = "echo";
  wire::Kind kind = wire::Kind::kCommand;
  bool no_verify = false;
  Duration busy_poll{};  ///< 0: off
  bool json = false;

  void add_to(CLI::App& verb);
  /// What the flags leave open.
  void complete();
  client::ClientLoopOptions loop_options() const;
};

}  // namespace godwit::app

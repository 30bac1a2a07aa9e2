#pragma once

#include <vector>

#include "app/commands/bench_load.h"

namespace godwit::app {

/// Sessions rather than messages. Pattern connect: full handshakes up to Welcome, each closed at once and followed by
/// the next, some at one time. Pattern idle: that many sessions are opened and held, and every one that ends early is a
/// failure.
class BenchSessions final : public BenchLoad {
 public:
  BenchSessions(const BenchOptions& options, BenchTally& tally);

 private:
  void begin() override;
  void interrupt() override { stop_dialing(); }
  void on_dialed(uint64_t slot, client::PeerId peer, const client::Entry& entry) override;
  void on_dial_failed(uint64_t slot, const Error& why) override;
  void on_disconnected(uint64_t slot, client::PeerId peer, const Error& why, session::SessionId kept) override;
  void on_turn() override;

  bool idle() const { return options_.pattern == BenchPattern::kIdle; }
  void stop_dialing();

  std::vector<Timestamp> began_;  ///< of the dial in each slot
  std::vector<uint64_t> free_;    ///< slots without a dial
  uint64_t begun_ = 0;
  uint64_t limit_;  ///< of handshakes
  bool ending_ = false;
  Timer end_timer_;
};

}  // namespace godwit::app

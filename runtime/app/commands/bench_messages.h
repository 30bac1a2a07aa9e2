#pragma once

#include <optional>
#include <vector>

#include "app/commands/bench_load.h"
#include "base/check.h"
#include "base/ring.h"

namespace godwit::app {

/// Requests or acknowledged events over some connections. Without a rate each answer makes room for the next message
/// (closed loop); with one, messages have a time at which they are due, whatever the answers do, and their latency
/// counts from that time, so that a server that stalls cannot hide it (no coordinated omission). Allocates nothing per
/// message.
class BenchMessages final : public BenchLoad, private session::ReplyWaiter {
 public:
  BenchMessages(const BenchOptions& options, BenchTally& tally);

 private:
  struct Connection {
    client::PeerId peer;
    session::Session* session = nullptr;  ///< null: not connected
  };
  /// Room for one message in flight.
  struct Slot {
    uint32_t connection = 0;
    Timestamp began{};
    uint64_t number = 0;
  };
  enum class Phase : uint8_t { kConnecting, kSending, kDraining };

  void begin() override;
  void interrupt() override;
  void on_dialed(uint64_t connection, client::PeerId peer, const client::Entry& entry) override;
  void on_dial_failed(uint64_t connection, const Error& why) override;
  void on_disconnected(uint64_t connection, client::PeerId peer, const Error& why, session::SessionId kept) override;
  void on_turn() override;
  void on_reply(uint64_t slot, const session::Reply& reply) override;

  void start_sending();
  void pump();
  /// How many messages may have been begun by now.
  uint64_t due(Timestamp at) const;
  /// When message `number` is to be sent.
  Timestamp due_time(uint64_t number) const;
  void send(uint32_t slot, Timestamp began);
  Result<uint64_t> submit(Slot& slot, uint32_t index);
  bool right(const Slot& slot, Bytes body) const;
  void set_free(uint32_t slot) { GW_CHECK(free_.push(slot)); }
  void drain();
  void give_up();

  std::vector<Connection> connections_;
  std::vector<Slot> slots_;
  Ring<uint32_t> free_;            ///< of connections that are up, the longest free first
  std::vector<uint32_t> refused_;  ///< slots whose message was refused at once; they rest for a while
  std::vector<uint8_t> body_;
  Phase phase_ = Phase::kConnecting;
  uint32_t connected_ = 0;
  uint64_t begun_ = 0;  ///< messages, and the number of the next
  uint64_t in_flight_ = 0;
  uint64_t limit_;    ///< of messages
  Timer send_timer_;  ///< when the next message is due, or refused slots are tried again
  Timer end_timer_;   ///< when sending ends, then when waiting ends
};

}  // namespace godwit::app

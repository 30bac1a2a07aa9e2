#pragma once

#include <vector>

#include "app/commands/bench_load.h"

namespace godwit::app {

/// Sessions that come back: all are opened, lose their connections, take messages meanwhile, and are resumed at once.
/// What is measured is the time from there until the server has acknowledged the last message.
class BenchResume final : public BenchLoad, private session::ReplyWaiter {
 public:
  BenchResume(const BenchOptions& options, BenchTally& tally);

 private:
  struct Client {
    client::PeerId peer;
    session::SessionId kept;
  };
  enum class Stage : uint8_t { kOpening, kParting, kResuming };

  void begin() override;
  void on_dialed(uint64_t slot, client::PeerId peer, const client::Entry& entry) override;
  void on_dial_failed(uint64_t slot, const Error& why) override;
  void on_disconnected(uint64_t slot, client::PeerId peer, const Error& why, session::SessionId kept) override;
  void on_turn() override;
  void on_reply(uint64_t slot, const session::Reply& reply) override;

  void open_more();
  void part_all();
  void queue_messages(Client& client, uint64_t slot);
  void resume_all();

  static constexpr size_t kOpeningMax = 64;  ///< handshakes at one time, while sessions are opened

  std::vector<Client> clients_;
  const std::vector<uint8_t> body_;
  Stage stage_ = Stage::kOpening;
  size_t begun_ = 0;
  size_t done_ = 0;  ///< clients that this stage is over for
  uint64_t open_messages_ = 0;
};

}  // namespace godwit::app

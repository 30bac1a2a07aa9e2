#pragma once

#include <functional>

#include "client_node.h"
#include "payload.h"
#include "world.h"

namespace godwit::sim {

/// Sends a number of messages over one connection, so many at a time, and goes on as they settle.
class Load {
 public:
  struct Plan {
    uint64_t count = 100;
    uint64_t in_flight = 100;
    std::function<size_t(uint64_t index)> body_bytes = [](uint64_t) { return size_t{16}; };
    ClientPeer::Send send;  ///< all but the body
  };
  Load(World& world, ClientPeer& peer, Plan plan) : world_(world), peer_(peer), plan_(std::move(plan)) {
    peer_.on_settled = [this](const session::Reply&) {
      ++settled_;
      pump();
    };
  }
  ~Load() {
    peer_.on_settled = [](const session::Reply&) {};
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Sends what may be sent now; called by itself after each outcome.
  void pump() {
    while (!stopped_ && sent_ < plan_.count && sent_ - settled_ < plan_.in_flight && send_next()) {
    }
  }
  /// Sends nothing more; what is on its way still settles.
  void stop() { stopped_ = true; }
  bool done() const { return settled_ == plan_.count; }
  uint64_t sent() const { return sent_; }
  uint64_t settled() const { return settled_; }

 private:
  bool send_next() {
    const std::vector<uint8_t> body = make_body(world_.seed() + (sent_ << 20), plan_.body_bytes(sent_));
    ClientPeer::Send send = plan_.send;
    send.body = body;
    if (!peer_.send(send)) return false;
    ++sent_;
    return true;
  }

  World& world_;
  ClientPeer& peer_;
  const Plan plan_;
  uint64_t sent_ = 0;
  uint64_t settled_ = 0;
  bool stopped_ = false;
};

inline ClientPeer& connect(World& world, ClientNode& client, Duration timeout = 30s) {
  ClientPeer& peer = client.connect(timeout);
  world.expect(world.run_until([&] { return peer.connected() || peer.ended(); }, timeout), "no decision on connecting");
  world.expect(peer.connected(), "not connected: " + peer.why_ended().to_string());
  return peer;
}

/// Runs a load to its end; every message must succeed, and the session must live.
inline void expect_all_succeed(World& world, ClientPeer& peer, Load::Plan plan, Duration limit) {
  const uint64_t before = world.ledger().succeeded(), count = plan.count;
  Load load(world, peer, std::move(plan));
  load.pump();
  world.expect(world.run_until([&] { return load.done() || peer.ended(); }, limit),
               std::to_string(load.settled()) + " of " + std::to_string(count) + " messages settled in time");
  world.expect(!peer.ended(), "the session died: " + peer.why_ended().to_string());
  world.expect(world.ledger().succeeded() - before == count, "a message failed");
}

}  // namespace godwit::sim

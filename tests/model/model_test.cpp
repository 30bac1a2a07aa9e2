// Two sessions under operations that chance chooses, compared after each with a model of what they promise.

#include <catch2/catch.hpp>
#include <cstdlib>

#include "peer.h"

using namespace godwit;
using model::Peer;

namespace {

constexpr uint64_t kOperations = 1'000'000;
constexpr uint64_t kOperationsPerWorld = 1'000;

session::SessionConfig config_of(Prng& random) {
  session::SessionConfig config;
  config.outbox_messages_max = random.between(2, 40);
  config.holdback_messages_max = config.outbox_messages_max;
  config.ack_every = static_cast<uint32_t>(random.between(1, 64));
  return config;
}

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), config_(config_of(random_)) {
    a_.join(b_);
    b_.join(a_);
  }

  /// How many operations it took.
  uint64_t run() {
    for (uint64_t operation = 0; operation < kOperationsPerWorld; ++operation) {
      if (!step() || !live_on()) return operation;
      a_.check();
      b_.check();
    }
    settle();
    return kOperationsPerWorld;
  }

  /// It came to its end with nothing open, instead of losing its sessions.
  bool settled() const { return settled_; }

 private:
  /// False when the sessions came to an end.
  bool step() {
    Peer& peer = random_.chance(0.5) ? a_ : b_;
    switch (random_.below(24)) {
      case 0 ... 2: peer.send_event(random_); break;
      case 3 ... 5: peer.send_request(random_); break;
      case 6 ... 10: peer.deliver_message(random_); break;
      case 11: peer.deliver_again(random_); break;
      case 12 ... 14: peer.handle(random_); break;
      case 15 ... 16: peer.answer(random_); break;
      case 17 ... 18: peer.end_turn(); break;
      case 19 ... 20: peer.deliver_ack(); break;
      case 21: time_.advance(Duration(random_.below(random_.chance(0.1) ? 8'000'000'000 : 50'000'000))); break;
      case 22: random_.chance(0.3) ? peer.cancel(random_) : void(); break;
      default: return a_.attached() ? maybe_lose() : meet();
    }
    return true;
  }

  /// A side closes a connection on which nothing is acknowledged, and the sessions go on over another; one that cannot
  /// take the answers ends them. Nothing else is a reason here.
  bool live_on() {
    for (const Code why : {a_.closed(), b_.closed()}) {
      model::expect(why == Code::kOk || why == Code::kAckTimeout || why == Code::kQueueFull, "closed without a reason");
      if (why == Code::kQueueFull) return end(why);
      if (why != Code::kOk) lose_connection();
    }
    return true;
  }

  bool end(Code why) {
    a_.end(why);
    b_.end(why);
    return false;
  }

  bool maybe_lose() {
    if (random_.chance(0.3)) lose_connection();
    return true;
  }

  void lose_connection() {
    a_.lose_connection();
    b_.lose_connection();
  }

  bool meet() { return Peer::meet(a_, b_) || end(Code::kSessionLost); }

  /// The network heals: everything gets its outcome.
  void settle() {
    for (int round = 0; round < 1'000; ++round) {
      if (!a_.attached() && !meet()) return;
      const bool any = a_.settle_some(random_) | b_.settle_some(random_);
      if (!live_on()) return;
      time_.advance(30ms);
      if (!any) break;
    }
    a_.check_settled();
    b_.check_settled();
    settled_ = true;
  }

  Prng random_;
  testing::VirtualTime time_;
  const session::SessionConfig config_;
  Peer a_{config_, time_}, b_{config_, time_};
  bool settled_ = false;
};

}  // namespace

TEST_CASE("a million operations on two sessions end as the model says") {
  const char* one = std::getenv("GODWIT_MODEL_SEED");
  uint64_t operations = 0, worlds = 0, settled = 0;
  for (uint64_t seed = one ? std::strtoull(one, nullptr, 10) : 1; operations < (one ? 1 : kOperations); ++seed) {
    try {
      World world(seed);
      operations += world.run();
      settled += world.settled();
      ++worlds;
    } catch (const std::exception& error) {
      FAIL("GODWIT_MODEL_SEED=" << seed << ": " << error.what());
    }
  }
  CHECK(operations >= (one ? 1 : kOperations));
  if (!one) CHECK(settled * 10 >= worlds * 9);
}

#pragma once

#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "base/prng.h"
#include "ledger.h"
#include "network.h"
#include "node.h"
#include "tls_fixture.h"
#include "trace.h"
#include "virtual_time.h"

namespace godwit::sim {

/// Virtual time. Code that runs takes none, unless it says so: what it says shows in `measure` until the turn is over.
class WorldClock final : public testing::VirtualClock {
 public:
  Timestamp measure() const override { return now() + worked; }
  Duration worked{};
};

/// A clock, a network and a ledger, all from one seed, and the order in which everything happens. Nodes must be
/// destroyed before it.
class World {
 public:
  struct Options {
    uint64_t seed = 1;
    Trace::Print print = Trace::Print::kNo;
    const TlsFixture& tls;
  };
  explicit World(const Options& options);

  uint64_t seed() const { return seed_; }
  const Clock& clock() const { return clock_; }
  Timestamp now() const { return clock_.now(); }
  Prng& random() { return random_; }
  Network& network() { return network_; }
  Ledger& ledger() { return ledger_; }
  Trace& trace() { return trace_; }
  const TlsFixture& tls() const { return tls_; }

  /// The node whose turn it is was busy for so long: its budgets feel it, and its next turn waits.
  void work(Duration duration) { clock_.worked += duration; }
  /// The process of this node stands still for so long, as when it is not scheduled; what arrives waits in its socket.
  void pause(const Node& node, Duration duration);
  /// Does something later, between two turns.
  void after(Duration delay, std::function<void()> action);
  /// Lets time pass until `done` holds after a turn, at most for `limit`. True when it held. Stops at the first
  /// violation.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run(Duration time);

  /// What must hold. The first thing that does not ends the run; its text is what the seed is reported with.
  void expect(bool holds, std::string_view what);
  bool ok() const { return violation_.empty(); }
  const std::string& violation() const { return violation_; }

 private:
  friend class Node;
  friend class Network;
  void add(Node& node);
  void remove(Node& node);
  std::vector<uint8_t> take_buffer(Bytes content);
  void deliver(Timestamp at, Node& to, const NetworkPath& path, uint8_t ecn, std::vector<uint8_t> datagram);

  struct Datagram {
    Node* to;
    NetworkPath path;
    uint8_t ecn;
    std::vector<uint8_t> bytes;
  };
  /// Events of one moment happen in the order in which they were made.
  struct Event {
    Timestamp at;
    uint64_t order;
    uint32_t slot;
    bool is_datagram;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct Member {
    Node* node;
    Timestamp wake = kNever;
    Timestamp paused_until{};
    bool touched = false;
  };
  Member& member(const Node& node);
  Timestamp next() const;
  bool step(Timestamp end);
  void run_timers();
  void run_events();
  void run_turns();
  void touch_all();
  void hand_over(Datagram datagram);
  void watch_progress(Timestamp now);

  const uint64_t seed_;
  const TlsFixture& tls_;
  WorldClock clock_;
  Prng random_;
  Trace trace_;
  Ledger ledger_;
  Network network_;
  std::vector<Member> members_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Datagram> datagrams_;
  std::vector<uint32_t> free_datagrams_;
  std::vector<std::function<void()>> actions_;
  std::vector<uint32_t> free_actions_;
  std::vector<std::vector<uint8_t>> buffers_;  ///< to be used again
  uint64_t next_order_ = 0;
  uint64_t steps_in_place_ = 0;
  std::string violation_;
};

}  // namespace godwit::sim

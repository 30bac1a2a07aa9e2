#pragma once

#include <string>

#include "base/prng.h"
#include "base/timer_heap.h"
#include "base/worker_metrics.h"
#include "network.h"
#include "port/entropy.h"
#include "quic/endpoint.h"
#include "trace_log.h"

namespace godwit::sim {

class World;

/// Randomness for a node's core, from the world's seed.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed) : random_(seed) {}
  void fill(MutableBytes out) override { random_.fill(out); }

 private:
  Prng random_;
};

/// A process of the simulated world: owns what a loop would give the core, and is given turns.
class Node : private DatagramSender {
 public:
  Node(World& world, std::string name, const SocketAddress& own, Network::Place place);
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& name() const { return name_; }
  const SocketAddress& own() const { return own_; }
  TimerHeap& timers() { return timers_; }
  WorkerMetrics& metrics() { return metrics_; }

  /// The system takes no datagrams from this node, as when its send buffer is full, until it is told to again.
  void block_sending(bool blocked) { blocked_ = blocked; }

  virtual void receive(const ReceivedDatagrams& datagrams) = 0;
  /// The end of a loop turn; true: another turn is wanted at once.
  virtual bool end_turn() = 0;

 protected:
  World& world_;
  SeededEntropy entropy_;
  DatagramSender& sender() { return *this; }
  Log log() { return log_.log(); }

 private:
  SendOutcome send(const OutgoingDatagrams& datagrams) override;

  const std::string name_;
  const SocketAddress own_;
  TraceLog log_;
  TimerHeap timers_;
  WorkerMetrics metrics_;
  bool blocked_ = false;
};

}  // namespace godwit::sim

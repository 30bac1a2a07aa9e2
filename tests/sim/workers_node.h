#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "server_node.h"

namespace godwit::sim {

/// Notes the connection ids that the workers give out.
class Notary final : public DatagramSender {
 public:
  explicit Notary(DatagramSender& sender) : sender_(sender) {}
  SendOutcome send(const OutgoingDatagrams& datagrams) override;
  bool knows(const std::vector<uint8_t>& id) const { return issued_.contains(id); }

 private:
  DatagramSender& sender_;
  std::set<std::vector<uint8_t>> issued_;
};

/// A server of two workers, each the real code: datagrams go to the one that owns their connection, as the kernel
/// steers them, and what workers share is shared. They take turns on one time line.
class WorkersNode final : public Node {
 public:
  static constexpr uint32_t kWorkers = 2;

  WorkersNode(World& world, const app::ServerCoreConfig& config, const quic::TransportConfig& transport);

  app::ServerCore& core(uint32_t worker) { return workers_[worker]->core; }
  const app::SharedCap& places() const { return places_; }
  size_t led_astray() const { return led_astray_; }
  size_t session_count() { return core(0).session_count() + core(1).session_count(); }

  void receive(const ReceivedDatagrams& datagrams) override;
  bool end_turn() override;

 private:
  struct Worker {
    Worker(WorkersNode& node, const app::ServerCoreConfig& config, const quic::EndpointOptions& endpoint,
           uint32_t number);
    WorkerMetrics metrics;
    Actions actions;
    Witness witness;
    app::WorkerServices services;
    transfer::Planner planner;
    app::ServerCore core;
  };

  uint32_t worker_for(Bytes datagram);

  Notary notary_{sender()};
  std::map<std::vector<uint8_t>, uint32_t> begun_;  ///< by the connection id that the client chose
  size_t led_astray_ = 0;
  app::SharedCap places_;
  quic::KeyRing keys_;
  session::NoAuthenticator authenticator_;
  app::SessionDirectory directory_;
  std::array<std::unique_ptr<Worker>, kWorkers> workers_;
};

}  // namespace godwit::sim

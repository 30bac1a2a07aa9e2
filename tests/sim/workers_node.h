#pragma once

#include <array>
#include <memory>

#include "server_node.h"

namespace godwit::sim {

/// A server of two workers, each the real code: datagrams go to the one that owns their connection, as the kernel
/// steers them, and what workers share is shared. They take turns on one time line.
class WorkersNode final : public Node {
 public:
  static constexpr uint32_t kWorkers = 2;

  WorkersNode(World& world, const app::ServerCoreConfig& config, const quic::TransportConfig& transport);

  app::ServerCore& core(uint32_t worker) { return workers_[worker]->core; }
  WorkerMetrics& worker_metrics(uint32_t worker) { return workers_[worker]->metrics; }
  const app::SharedCap& places() const { return places_; }
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

  app::SharedCap places_;
  quic::KeyRing keys_;
  session::NoAuthenticator authenticator_;
  app::SessionDirectory directory_;
  std::array<std::unique_ptr<Worker>, kWorkers> workers_;
};

}  // namespace godwit::sim

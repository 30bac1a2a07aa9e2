#include "workers_node.h"

#include "world.h"

namespace godwit::sim {
namespace {

/// The first byte of the destination connection id, where long and short headers have it.
uint8_t steering_byte(Bytes datagram) {
  constexpr uint8_t kLongHeader = 0x80;
  const size_t at = !datagram.empty() && (datagram[0] & kLongHeader) != 0 ? 6 : 1;
  return at < datagram.size() ? datagram[at] : 0;
}

}  // namespace

WorkersNode::Worker::Worker(WorkersNode& node, const app::ServerCoreConfig& config,
                            const quic::EndpointOptions& endpoint, uint32_t number)
    : actions(node.world_, {}),
      witness(node.world_, actions),
      services(number, node.world_.clock(), node.timers(), node.directory_),
      core(config, endpoint,
           {node.world_.clock(), node.timers(), node.sender(), node.entropy_, node.log(), metrics, node.places_,
            node.authenticator_, node.keys_, witness, services, planner}) {}

WorkersNode::WorkersNode(World& world, const app::ServerCoreConfig& config, const quic::TransportConfig& transport)
    : Node(world, "server", ServerNode::address(), Network::Place::kOpen),
      places_(config.session.sessions_max),
      keys_(entropy_),
      directory_(world.clock()) {
  quic::EndpointOptions endpoint{.transport = transport, .worker_count = kWorkers};
  endpoint.tls_server = world.tls().server;
  world.random().fill(endpoint.secrets.stateless_reset_key);
  world.random().fill(endpoint.secrets.token_key);
  for (uint32_t number = 0; number < kWorkers; ++number) {
    endpoint.worker_index = number;
    workers_[number] = std::make_unique<Worker>(*this, config, endpoint, number);
  }
}

void WorkersNode::receive(const ReceivedDatagrams& datagrams) {
  workers_[steering_byte(datagrams.payload) % kWorkers]->core.receive(datagrams);
}

bool WorkersNode::end_turn() {
  bool more = false;
  for (const auto& worker : workers_) {
    more |= worker->core.end_turn();
    worker->core.reap();
    more |= worker->core.endpoint().wants_flush() && !worker->core.endpoint().blocked();
  }
  return more;
}

}  // namespace godwit::sim

#include "workers_node.h"

#include "world.h"

namespace godwit::sim {
namespace {

constexpr uint8_t kLongHeader = 0x80;
constexpr double kAstray = 0.2;  ///< of the connections that begin

/// The destination connection id, where long headers have it; of short ones the first byte, which is all that counts.
Bytes destination_of(Bytes datagram) {
  constexpr size_t kLengthAt = 5;
  if (datagram.size() < 2) return {};
  if ((datagram[0] & kLongHeader) == 0) return datagram.subspan(1, 1);
  if (datagram.size() <= kLengthAt || datagram.size() <= kLengthAt + datagram[kLengthAt]) return {};
  return datagram.subspan(kLengthAt + 1, datagram[kLengthAt]);
}

bool is_initial(Bytes datagram) { return !datagram.empty() && (datagram[0] & 0xf0) == 0xc0; }

}  // namespace

WorkersNode::Worker::Worker(WorkersNode& node, const app::ServerCoreConfig& config,
                            const quic::EndpointOptions& endpoint, uint32_t number)
    : actions(node.world_, {}),
      witness(node.world_, actions),
      services(number, node.world_.clock(), node.timers(), node.directory_),
      core(config, endpoint,
           {node.world_.clock(), node.timers(), node.notary_, node.entropy_, node.log(), metrics, node.places_,
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

SendOutcome Notary::send(const OutgoingDatagrams& datagrams) {
  const Bytes packet = datagrams.payload;
  const size_t length_at = 6 + destination_of(packet).size();  // the source connection id follows the destination's
  if (!packet.empty() && (packet[0] & kLongHeader) != 0 && packet.size() > length_at + packet[length_at]) {
    const Bytes source = packet.subspan(length_at + 1, packet[length_at]);
    issued_.emplace(source.begin(), source.end());
  }
  return sender_.send(datagrams);
}

void WorkersNode::receive(const ReceivedDatagrams& datagrams) {
  workers_[worker_for(datagrams.payload)]->core.receive(datagrams);
}

uint32_t WorkersNode::worker_for(Bytes datagram) {
  const Bytes destination = destination_of(datagram);
  if (destination.empty()) return 0;
  const uint32_t owner = destination[0] % kWorkers;
  const std::vector<uint8_t> id(destination.begin(), destination.end());
  if (const auto known = begun_.find(id); known != begun_.end()) return known->second;
  // An id that a worker has made leads to it; that of a first packet is the client's.
  if (!is_initial(datagram) || id.size() < 8 || notary_.knows(id)) return owner;
  const bool astray = world_.random().chance(kAstray);
  led_astray_ += astray;
  return begun_[id] = astray ? 1 - owner : owner;
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

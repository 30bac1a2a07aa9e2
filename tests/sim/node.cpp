#include "node.h"

#include "payload.h"
#include "world.h"

namespace godwit::sim {

Node::Node(World& world, std::string name, const SocketAddress& own, Network::Place place)
    : world_(world),
      entropy_(hash_bytes(as_bytes(name), world.seed())),
      name_(std::move(name)),
      own_(own),
      log_(world.trace(), name_) {
  world_.add(*this);
  world_.network().attach(*this, own, place);
}

Node::~Node() {
  world_.network().detach(*this);
  world_.remove(*this);
}

SendOutcome Node::send(const OutgoingDatagrams& datagrams) {
  if (blocked_) return SendOutcome::kBlocked;
  world_.network().send(*this, datagrams);
  return SendOutcome::kSent;
}

}  // namespace godwit::sim

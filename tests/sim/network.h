#pragma once

#include <tsl/robin_map.h>

#include <memory>
#include <vector>

#include "link.h"
#include "port/datagrams.h"

namespace godwit::sim {

class Node;
class World;

/// An address of the simulated network: `inside_address(1, 8453)` is 10.0.0.1:8453.
SocketAddress inside_address(uint8_t number, uint16_t port);

/// Joins nodes by their addresses. A node may live behind a NAT: the others then see an address of the NAT, which
/// changes when it rebinds; datagrams to the old one vanish.
class Network {
 public:
  Network(World& world, uint64_t seed) : world_(world), seed_(seed) {}

  enum class Place : uint8_t { kOpen, kBehindNat };
  void attach(Node& node, const SocketAddress& own, Place place);
  void detach(Node& node);

  /// The ways from and to a node. The conditions of both ends of a path add up.
  Link& up(const Node& node);
  Link& down(const Node& node);
  /// The same in both directions.
  void set(const Node& node, const Conditions& conditions);
  void blackhole(const Node& node, bool on);

  /// From now on the others see this node at another port, or another address.
  enum class Change : uint8_t { kPort, kAddress };
  void rebind(const Node& node, Change change);

  void send(Node& from, const OutgoingDatagrams& datagrams);

 private:
  struct Host {
    Node* node;
    Place place;
    Link up, down;
    uint8_t public_host;
    std::vector<std::pair<SocketAddress, SocketAddress>> mappings;  ///< own → seen from outside
  };
  struct Mapping {
    Host* host;
    SocketAddress own;
  };
  Host& of(const Node& node);
  const SocketAddress& outside(Host& host, const SocketAddress& own);
  void send_one(Host& from, const SocketAddress& source, const SocketAddress& to, uint8_t ecn, Bytes datagram);
  void deliver(Timestamp at, const Mapping& to, const SocketAddress& source, uint8_t ecn,
               std::vector<uint8_t> datagram);

  World& world_;
  uint64_t seed_;
  std::vector<std::unique_ptr<Host>> hosts_;
  tsl::robin_map<uint64_t, Mapping> by_outside_;  ///< by key_of
  uint8_t next_public_host_ = 1;
  uint16_t next_port_ = 40'000;
};

}  // namespace godwit::sim

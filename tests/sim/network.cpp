#include "network.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/check.h"
#include "world.h"

namespace godwit::sim {
namespace {

SocketAddress ipv4(uint32_t address, uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(address);
  v4.sin_port = htons(port);
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&v4));
}

SocketAddress public_address(uint8_t number, uint16_t port) {
  return ipv4(0xc6336400u | number, port);
}  // 198.51.100.0/24

uint64_t key_of(const SocketAddress& address) {
  const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address.raw());
  return uint64_t{v4.sin_addr.s_addr} << 16 | address.port();
}

}  // namespace

SocketAddress inside_address(uint8_t number, uint16_t port) { return ipv4(0x0a000000u | number, port); }

void Network::attach(Node& node, const SocketAddress& own, Place place) {
  const uint64_t seed = seed_ + 2 * hosts_.size();
  hosts_.push_back(std::make_unique<Host>(Host{&node, place, Link(seed), Link(seed + 1), next_public_host_++, {}}));
  Host& host = *hosts_.back();
  if (place == Place::kOpen) by_outside_[key_of(own)] = {&host, own};
}

void Network::detach(Node& node) { of(node).node = nullptr; }

Network::Host& Network::of(const Node& node) {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host->node == &node; });
  GW_CHECK(found != hosts_.end());
  return **found;
}

Link& Network::up(const Node& node) { return of(node).up; }

Link& Network::down(const Node& node) { return of(node).down; }

void Network::set(const Node& node, const Conditions& conditions) {
  Host& host = of(node);
  host.up.conditions = host.down.conditions = conditions;
}

void Network::blackhole(const Node& node, bool on) {
  Host& host = of(node);
  host.up.conditions.blackhole = host.down.conditions.blackhole = on;
}

void Network::rebind(const Node& node, Change change) {
  Host& host = of(node);
  if (change == Change::kAddress) host.public_host = next_public_host_++;
  for (const auto& [own, outside] : host.mappings) by_outside_.erase(key_of(outside));
  host.mappings.clear();
}

/// A NAT makes a mapping when the first datagram leaves.
const SocketAddress& Network::outside(Host& host, const SocketAddress& own) {
  if (host.place == Place::kOpen) return own;
  for (const auto& [known, outside] : host.mappings) {
    if (known == own) return outside;
  }
  const SocketAddress outside = public_address(host.public_host, next_port_++);
  host.mappings.emplace_back(own, outside);
  by_outside_[key_of(outside)] = {&host, own};
  return host.mappings.back().second;
}

void Network::send(Node& from, const OutgoingDatagrams& datagrams) {
  Host& host = of(from);
  const SocketAddress source = outside(host, datagrams.path.local);
  for (Bytes rest = datagrams.payload; !rest.empty();) {
    const Bytes datagram = rest.first(std::min(rest.size(), datagrams.segment_bytes));
    rest = rest.subspan(datagram.size());
    send_one(host, source, datagrams.path.remote, datagrams.ecn, datagram);
  }
}

void Network::send_one(Host& from, const SocketAddress& source, const SocketAddress& to, uint8_t ecn, Bytes datagram) {
  const auto found = by_outside_.find(key_of(to));
  const Timestamp now = world_.clock().now();
  const Link::Fate out = from.up.send(now, datagram.size());
  world_.trace().datagram(*from.node, source, to, datagram, out.arrivals.size());
  if (found == by_outside_.end() || !found->second.host->node) return;
  for (const Timestamp halfway : out.arrivals) {
    const Link::Fate in = found->second.host->down.send(halfway, datagram.size());
    for (const Timestamp arrival : in.arrivals) {
      std::vector<uint8_t> copy = world_.take_buffer(datagram);
      if (out.corrupted) from.up.corrupt(copy);
      if (in.corrupted) found->second.host->down.corrupt(copy);
      deliver(arrival, found->second, source, ecn, std::move(copy));
    }
  }
}

void Network::deliver(Timestamp at, const Mapping& to, const SocketAddress& source, uint8_t ecn,
                      std::vector<uint8_t> datagram) {
  world_.deliver(at, *to.host->node, {to.own, source}, ecn, std::move(datagram));
}

}  // namespace godwit::sim

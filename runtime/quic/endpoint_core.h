#pragma once

#include "base/slot_map.h"
#include "quic/admission.h"
#include "quic/endpoint_shared.h"
#include "quic/stateless_reply.h"
#include "quic/transport.h"

namespace godwit::quic {

/// What an Endpoint is made of: the table of connections, and what decides about packets that belong to none.
class EndpointCore {
 public:
  EndpointCore(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner);

  void receive(const ReceivedDatagrams& datagrams);
  Result<ConnectionId> connect(const NetworkPath& path, const std::string& server_name,
                               std::optional<uint8_t> first_byte);
  Connection* get(ConnectionId id) { return connections_.get(id); }
  void flush();
  bool wants_flush() const;
  bool blocked() const { return shared_.transmitter.blocked(); }
  void reap() { connections_.reap(); }
  void stop_accepting() { admission_.stop(); }
  void reconfigure(const TransportConfig& transport, const AdmissionConfig& admission, std::shared_ptr<TlsServer> tls);
  size_t connection_count() const { return connections_.size(); }
  size_t open_count() const { return shared_.open_count; }
  Status migrate(ConnectionId id, const NetworkPath& path);

 private:
  /// The connection that a packet belongs to, made where the packet is a welcome first one; null when it was dealt
  /// with.
  Transport* route(const NetworkPath& path, Bytes packet, Timestamp now);
  bool same_short_dcid(Bytes last, Bytes packet) const;
  Transport* find(const CidTable& table, Bytes key);
  Transport* first_packet(const NetworkPath& path, Bytes packet, const ngtcp2_version_cid& ids, Timestamp now);
  Transport* accept(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now);
  void drop_malformed() { shared_.world.metrics.packets_dropped_malformed.add(); }

  ConnectionId add(Role role);
  void deliver();
  void deliver_to(ConnectionId id);

  EndpointShared shared_;
  ConnectionOwner& owner_;
  Admission admission_;
  StatelessReply reply_;
  SlotMap<Connection> connections_;     // before it goes, admission and shared must live
  std::vector<ConnectionId> flushing_;  // memory of the lists in shared_, which take turns with these
  std::vector<ConnectionId> reporting_;
  bool delivering_ = false;
};

}  // namespace godwit::quic

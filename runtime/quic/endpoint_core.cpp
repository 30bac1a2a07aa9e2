#include "quic/endpoint_core.h"

#include <cstring>

#include "quic/ngtcp2_types.h"

namespace godwit::quic {
namespace {

/// RFC 9000, sections 7.2 and 14.1: what a first packet must bring.
constexpr size_t kInitialDatagramBytesMin = 1200;
constexpr size_t kFirstDcidBytesMin = 8;

constexpr size_t kResetTokenBytes = NGTCP2_STATELESS_RESET_TOKENLEN;

bool has_long_header(Bytes packet) { return packet[0] & 0x80; }

}  // namespace

EndpointCore::EndpointCore(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner)
    : shared_(std::move(options), world), owner_(owner), admission_(shared_.options.admission), reply_(shared_) {}

void EndpointCore::receive(const ReceivedDatagrams& datagrams) {
  const Timestamp now = shared_.world.clock.now();
  WorkerMetrics& metrics = shared_.world.metrics;
  Transport* last = nullptr;
  Bytes last_packet;
  for (Bytes rest = datagrams.payload; !rest.empty();) {
    const Bytes packet = rest.first(std::min(rest.size(), datagrams.segment_bytes));
    rest = rest.subspan(packet.size());
    metrics.packets_received.add();
    metrics.packet_bytes_received.add(packet.size());
    Transport* transport = same_short_dcid(last_packet, packet) ? last : route(datagrams.path, packet, now);
    if (!transport) continue;
    if (last && last != transport) last->after_read();
    last = transport;
    last_packet = packet;
    transport->read(transport->as_known(datagrams.path), datagrams.ecn, packet, now);
  }
  if (last) last->after_read();
  deliver();
}

/// Most packets of a receive call are for one connection: then their headers need no second look.
bool EndpointCore::same_short_dcid(Bytes last, Bytes packet) const {
  const size_t header_bytes = 1 + shared_.cid_source.bytes();
  return last.size() >= header_bytes && packet.size() >= header_bytes && !has_long_header(last) &&
         !has_long_header(packet) && std::memcmp(last.data() + 1, packet.data() + 1, header_bytes - 1) == 0;
}

Transport* EndpointCore::route(const NetworkPath& path, Bytes packet, Timestamp now) {
  ngtcp2_version_cid ids;
  const int decoded = ngtcp2_pkt_decode_version_cid(&ids, packet.data(), packet.size(), shared_.cid_source.bytes());
  if (decoded == NGTCP2_ERR_VERSION_NEGOTIATION) {
    // ngtcp2 says so only for datagrams as long as an Initial's: the answer is never larger than the question.
    if (shared_.options.tls_server) reply_.negotiate_version(path, ids, now);
    return nullptr;
  }
  if (decoded != 0 || ids.dcidlen > Cid::kBytesMax) return drop_malformed(), nullptr;
  if (Transport* known = find(shared_.cids, {ids.dcid, ids.dcidlen})) return known;
  if (has_long_header(packet)) return first_packet(path, packet, ids, now);
  // A stateless reset looks like a packet to anybody; only its last bytes tell (RFC 9000, section 10.3.1).
  if (packet.size() >= kResetTokenBytes) {
    if (Transport* reset = find(shared_.reset_tokens, packet.last(kResetTokenBytes))) return reset;
  }
  shared_.world.metrics.packets_dropped_unknown.add();
  reply_.reset(path, ids, packet.size(), now);
  return nullptr;
}

Transport* EndpointCore::find(const CidTable& table, Bytes key) {
  const auto found = table.find(Cid(key));
  if (found == table.end()) return nullptr;
  Connection* connection = connections_.get(found->second);
  return connection ? connection->transport_.get() : nullptr;
}

Transport* EndpointCore::first_packet(const NetworkPath& path, Bytes packet, const ngtcp2_version_cid& ids,
                                      Timestamp now) {
  WorkerMetrics& metrics = shared_.world.metrics;
  ngtcp2_pkt_hd header;
  const bool initial = shared_.options.tls_server &&
                       ngtcp2_pkt_decode_hd_long(&header, packet.data(), packet.size()) > 0 &&
                       header.type == NGTCP2_PKT_INITIAL;
  if (!initial) {
    metrics.packets_dropped_unknown.add();
    return nullptr;
  }
  if (packet.size() < kInitialDatagramBytesMin) {
    metrics.packets_dropped_small_initial.add();
    return nullptr;
  }
  if (ids.dcidlen < kFirstDcidBytesMin) return drop_malformed(), nullptr;
  return accept(path, header, now);
}

Transport* EndpointCore::accept(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now) {
  WorkerMetrics& metrics = shared_.world.metrics;
  Cid before_retry;
  const StatelessReply::Token token = reply_.check_token(path, initial, now, before_retry);
  if (token == StatelessReply::Token::kInvalid) {
    metrics.tokens_rejected.add();
    reply_.refuse(path, initial, NGTCP2_INVALID_TOKEN, now);
    return nullptr;
  }
  const bool proven = token == StatelessReply::Token::kValid;
  switch (admission_.judge(path.remote, proven, connections_.size())) {
    case Admission::Verdict::kProveAddress: reply_.retry(path, initial, now); return nullptr;
    case Admission::Verdict::kRefuse:
      metrics.connections_refused.add();
      reply_.refuse(path, initial, NGTCP2_CONNECTION_REFUSED, now);
      return nullptr;
    case Admission::Verdict::kAccept: break;
  }
  Arrival arrival{initial.version,
                  from_ngtcp2(initial.scid),
                  from_ngtcp2(initial.dcid),
                  {},
                  {initial.token.base, initial.token.len},
                  path,
                  now,
                  admission_.enter(path.remote)};
  if (proven) arrival.before_retry = before_retry;
  const ConnectionId id = add(Role::kServer);
  Transport& transport = *connections_.get(id)->transport_;
  if (const Status ok = transport.accept(std::move(arrival)); !ok) {
    shared_.world.log.error("a connection could not be made", {{"reason", ok.error().text}});
    connections_.erase(id);
    return nullptr;
  }
  return &transport;
}

ConnectionId EndpointCore::add(Role role) {
  return connections_.emplace_with([&](ConnectionId id) {
    return std::unique_ptr<Connection>(new Connection(std::make_unique<Transport>(shared_, id, role)));
  });
}

Result<ConnectionId> EndpointCore::connect(const NetworkPath& path, const std::string& server_name,
                                           std::optional<uint8_t> first_byte) {
  if (!shared_.options.tls_client) return fail(Code::kInternal, "this endpoint has no client settings for TLS");
  const ConnectionId id = add(Role::kClient);
  const Status ok = connections_.get(id)->transport_->connect(path, server_name, first_byte, shared_.world.clock.now());
  if (ok) return id;
  connections_.erase(id);
  return tl::unexpected(ok.error());
}

void EndpointCore::flush() {
  Transmitter& transmitter = shared_.transmitter;
  if (transmitter.send()) {
    const Timestamp now = shared_.world.clock.now();
    std::swap(shared_.dirty, flushing_);
    for (const ConnectionId id : flushing_) {
      if (Connection* connection = connections_.get(id)) connection->transport_->flush(now);
    }
    flushing_.clear();
  }
  deliver();
}

bool EndpointCore::wants_flush() const {
  return !shared_.dirty.empty() || !shared_.eventful.empty() || !shared_.transmitter.empty();
}

/// The owner may act on any connection meanwhile; what that records is delivered in the same loop.
void EndpointCore::deliver() {
  if (std::exchange(delivering_, true)) return;
  while (!shared_.eventful.empty()) {
    std::swap(shared_.eventful, reporting_);
    for (const ConnectionId id : reporting_) deliver_to(id);
    reporting_.clear();
  }
  delivering_ = false;
}

void EndpointCore::deliver_to(ConnectionId id) {
  Connection* connection = connections_.get(id);
  if (!connection) return;
  Transport& transport = *connection->transport_;
  std::vector<Event> events = transport.take_events();
  if (!events.empty() && transport.shown_to_owner()) owner_.on_events(*connection, events);
  transport.delivered(std::move(events));
  if (transport.dead()) connections_.erase(id);
}

void EndpointCore::reconfigure(const TransportConfig& transport, const AdmissionConfig& admission,
                               std::shared_ptr<TlsServer> tls) {
  shared_.options.transport = transport;
  shared_.options.admission = admission;
  shared_.options.tls_server = std::move(tls);
  admission_.reconfigure(admission);
  reply_.reconfigure();
}

Status EndpointCore::migrate(ConnectionId id, const NetworkPath& path) {
  Connection* connection = connections_.get(id);
  if (!connection || connection->role() != Role::kClient) return fail(Code::kStaleHandle, "no such client connection");
  return connection->transport_->migrate(path, shared_.world.clock.now());
}

}  // namespace godwit::quic

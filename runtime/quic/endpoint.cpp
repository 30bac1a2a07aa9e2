#include "quic/endpoint.h"

#include "quic/endpoint_core.h"

namespace godwit::quic {

Endpoint::Endpoint(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner)
    : core_(std::make_unique<EndpointCore>(std::move(options), world, owner)) {}
Endpoint::~Endpoint() = default;

void Endpoint::receive(const ReceivedDatagrams& datagrams) { core_->receive(datagrams); }
Result<ConnectionId> Endpoint::connect(const NetworkPath& path, const std::string& server_name,
                                       std::optional<uint8_t> first_byte) {
  return core_->connect(path, server_name, first_byte);
}
Connection* Endpoint::get(ConnectionId id) { return core_->get(id); }
void Endpoint::flush() { core_->flush(); }
bool Endpoint::wants_flush() const { return core_->wants_flush(); }
bool Endpoint::blocked() const { return core_->blocked(); }
void Endpoint::reap() { core_->reap(); }
void Endpoint::stop_accepting() { core_->stop_accepting(); }
void Endpoint::reconfigure(const TransportConfig& transport, const AdmissionConfig& admission,
                           std::shared_ptr<TlsServer> tls) {
  core_->reconfigure(transport, admission, std::move(tls));
}
size_t Endpoint::connection_count() const { return core_->connection_count(); }
size_t Endpoint::open_count() const { return core_->open_count(); }
Status Endpoint::migrate(ConnectionId id, const NetworkPath& path) { return core_->migrate(id, path); }

std::unique_ptr<Endpoint> make_endpoint(EndpointOptions options, EndpointWorld world, ConnectionOwner& owner) {
  return std::make_unique<Endpoint>(std::move(options), world, owner);
}

}  // namespace godwit::quic

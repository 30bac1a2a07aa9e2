#include "quic/connection.h"

#include "quic/transport.h"

namespace godwit::quic {

Connection::Connection(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}
Connection::~Connection() = default;

ConnectionId Connection::id() const { return transport_->id(); }
Role Connection::role() const { return transport_->role(); }
bool Connection::handshake_completed() const { return transport_->handshake_completed(); }
NetworkPath Connection::path() const { return transport_->path(); }
std::string_view Connection::alpn() const { return transport_->tls().alpn(); }
std::string Connection::peer_certificate_name() const { return transport_->tls().peer_name(); }
ConnectionStats Connection::stats() const { return transport_->stats(); }

Result<StreamId> Connection::open_uni() { return transport_->open(StreamKind::kUni); }
Result<StreamId> Connection::open_bidi() { return transport_->open(StreamKind::kBidi); }

bool Connection::write(StreamId stream, Bytes bytes, Fin fin) { return transport_->write(stream, bytes, fin); }
bool Connection::write_shared(StreamId stream, std::shared_ptr<const std::vector<uint8_t>> body, Fin fin) {
  return transport_->write_shared(stream, std::move(body), fin);
}
uint64_t Connection::queued_bytes(StreamId stream) const { return transport_->queued_bytes(stream); }
uint64_t Connection::queued_bytes() const { return transport_->queued_bytes(); }

Bytes Connection::readable(StreamId stream) const { return transport_->readable(stream); }
void Connection::consume(StreamId stream, size_t bytes, Credit credit) { transport_->consume(stream, bytes, credit); }
void Connection::allow(StreamId stream, uint64_t bytes) { transport_->allow(stream, bytes); }
bool Connection::finished(StreamId stream) const { return transport_->finished(stream); }

void Connection::reset(StreamId stream, Code code) { transport_->reset(stream, code); }
Status Connection::send_datagram(Bytes payload) { return transport_->send_datagram(payload); }
void Connection::update_keys() { transport_->update_keys(); }
void Connection::close(Code code, std::string_view reason, CloseMode mode) { transport_->close(code, reason, mode); }

}  // namespace godwit::quic

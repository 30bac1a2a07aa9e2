// What the owner does with streams and datagrams.

#include "quic/transport.h"

namespace godwit::quic {

Result<StreamId> Transport::open(StreamKind kind) {
  if (!is_open() || leaving_) return fail(Code::kConnectionLost, "the connection is closing");
  StreamId id = -1;
  const int result = kind == StreamKind::kBidi ? ngtcp2_conn_open_bidi_stream(connection_.get(), &id, nullptr)
                                               : ngtcp2_conn_open_uni_stream(connection_.get(), &id, nullptr);
  if (result == NGTCP2_ERR_STREAM_ID_BLOCKED) {
    refused_[static_cast<size_t>(kind)] = true;
    return fail(Code::kStreamLimit, "the peer allows no more streams now");
  }
  if (result != 0) return fail(Code::kOutOfMemory, ngtcp2_strerror(result));
  on_stream_open(id);
  return id;
}

bool Transport::write(StreamId id, Bytes bytes, Connection::Fin fin) {
  Stream* stream = writable(id);
  if (!stream) return false;
  stream->out.append(bytes);
  queued_bytes_ += bytes.size();
  after_write(*stream, fin);
  return true;
}

bool Transport::write_shared(StreamId id, std::shared_ptr<const std::vector<uint8_t>> body, Connection::Fin fin) {
  Stream* stream = writable(id);
  if (!stream) return false;
  queued_bytes_ += body ? body->size() : 0;
  stream->out.append_shared(std::move(body));
  after_write(*stream, fin);
  return true;
}

/// The stream, when it is one that we may still write to.
Stream* Transport::writable(StreamId id) const {
  if (!is_open() || leaving_ || (!is_bidi(id) && !streams_.is_ours(id))) return nullptr;
  Stream* stream = streams_.find(id);
  return stream && !stream->over && !stream->out.finished() ? stream : nullptr;
}

void Transport::after_write(Stream& stream, Connection::Fin fin) {
  if (fin == Connection::Fin::kYes) stream.out.finish();
  if (!stream.out.has_work()) return;
  schedule_.add(stream);
  mark_dirty();
}

uint64_t Transport::queued_bytes(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream ? stream->out.unacked() : 0;
}

Bytes Transport::readable(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream ? stream->in.readable() : Bytes();
}

void Transport::consume(StreamId id, size_t bytes, Connection::Credit credit) {
  Stream* stream = streams_.find(id);
  if (!stream || bytes == 0) return;
  stream->in.consume(bytes);
  if (credit == Connection::Credit::kStreamToo) allow(*stream, bytes);
  return_credit(bytes);
  if (stream->over && stream->in.readable().empty()) tell_closed(*stream);
}

void Transport::allow(StreamId id, uint64_t bytes) {
  if (Stream* stream = streams_.find(id)) allow(*stream, bytes);
}

void Transport::allow(const Stream& stream, uint64_t bytes) {
  if (!is_open() || bytes == 0 || stream.fin_received || stream.over) return;
  ngtcp2_conn_extend_max_stream_offset(connection_.get(), stream.id, bytes);
  mark_dirty();
}

/// Lets the peer send as much again on all its streams together.
void Transport::return_credit(size_t bytes) {
  if (!is_open() || bytes == 0) return;
  ngtcp2_conn_extend_max_offset(connection_.get(), bytes);
  mark_dirty();
}

bool Transport::finished(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream && stream->fin_received;
}

void Transport::reset(StreamId id, Code code) {
  Stream* stream = streams_.find(id);
  if (!stream || !is_open()) return;
  stop_sending_of(*stream);
  drop_unread(*stream);
  if (stream->over) return tell_closed(*stream);
  stream->reset_told = true;  // the owner knows
  ngtcp2_conn_shutdown_stream(connection_.get(), id, to_app_error(code));
  mark_dirty();
}

/// The peer wants no more of what we send.
void Transport::told_to_stop(Stream& stream, uint64_t app_error) {
  stop_sending_of(stream);
  if (std::exchange(stream.reset_told, true)) return;
  record(StreamReset{stream.id, app_error});
}

void Transport::stop_sending_of(Stream& stream) {
  schedule_.remove(stream);
  queued_bytes_ -= stream.out.unacked();
  stream.out.abandon();
}

void Transport::drop_unread(Stream& stream) { return_credit(stream.in.discard()); }

void Transport::tell_closed(Stream& stream) {
  if (std::exchange(stream.closed_told, true)) return;
  record(StreamClosed{stream.id});
}

Status Transport::send_datagram(Bytes payload) {
  if (!is_open() || !handshake_completed_ || leaving_) return fail(Code::kConnectionLost, "the connection is not open");
  // Type, length, and the short header with the longest connection id and packet number, and the tag.
  constexpr size_t kOverheadBytes = 3 + 1 + NGTCP2_MAX_CIDLEN + 4 + 16;
  const auto* peer = ngtcp2_conn_get_remote_transport_params(connection_.get());
  const size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size(connection_.get());
  if (payload.size() + 3 > peer->max_datagram_frame_size)
    return fail(Code::kMessageTooLarge, "the peer takes no datagram of this size");
  if (payload.size() + kOverheadBytes > packet)
    return fail(Code::kMessageTooLarge, "does not fit a packet of this path");
  if (!datagrams_.push(payload)) return fail(Code::kQueueFull, "too many datagrams wait");
  mark_dirty();
  return {};
}

}  // namespace godwit::quic

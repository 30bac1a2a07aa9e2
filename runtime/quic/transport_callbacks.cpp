#include "quic/transport_callbacks.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/ngtcp2_types.h"
#include "quic/transport.h"

namespace godwit::quic {

/// One thunk per callback: finds the Transport and its Stream, tells it, reports success.
struct TransportCallbacks {
  static Transport& of(void* user) { return *static_cast<Transport*>(user); }

  static int handshake_completed(ngtcp2_conn*, void* user) {
    of(user).on_handshake_completed();
    return 0;
  }

  static int stream_open(ngtcp2_conn*, int64_t id, void* user) {
    of(user).on_stream_open(id);
    return 0;
  }

  static int stream_data(ngtcp2_conn*, uint32_t flags, int64_t, uint64_t, const uint8_t* data, size_t bytes, void* user,
                         void* stream) {
    if (stream)
      of(user).on_stream_data(*static_cast<Stream*>(stream), {data, bytes}, flags & NGTCP2_STREAM_DATA_FLAG_FIN);
    return 0;
  }

  static int stream_acked(ngtcp2_conn*, int64_t, uint64_t offset, uint64_t bytes, void* user, void* stream) {
    if (stream) of(user).on_stream_acked(*static_cast<Stream*>(stream), offset + bytes);
    return 0;
  }

  static int stream_reset(ngtcp2_conn*, int64_t, uint64_t, uint64_t app_error, void* user, void* stream) {
    of(user).on_peer_reset();
    if (stream) of(user).on_stream_reset(*static_cast<Stream*>(stream), app_error);
    return 0;
  }

  static int stream_close(ngtcp2_conn*, uint32_t, int64_t, uint64_t app_error, void* user, void* stream) {
    if (stream) of(user).on_stream_over(*static_cast<Stream*>(stream), app_error);
    return 0;
  }

  static int stream_window(ngtcp2_conn*, int64_t, uint64_t, void* user, void* stream) {
    if (stream) of(user).on_stream_window(*static_cast<Stream*>(stream));
    return 0;
  }

  static int bidi_streams_available(ngtcp2_conn*, uint64_t, void* user) {
    of(user).on_streams_available(StreamKind::kBidi);
    return 0;
  }

  static int uni_streams_available(ngtcp2_conn*, uint64_t, void* user) {
    of(user).on_streams_available(StreamKind::kUni);
    return 0;
  }

  static int datagram(ngtcp2_conn*, uint32_t, const uint8_t* data, size_t bytes, void* user) {
    of(user).on_datagram({data, bytes});
    return 0;
  }

  static int new_cid(ngtcp2_conn*, ngtcp2_cid* cid, uint8_t* token, size_t bytes, void* user) {
    of(user).issue_cid(*cid, token, bytes);
    return 0;
  }

  static int remove_cid(ngtcp2_conn*, const ngtcp2_cid* cid, void* user) {
    of(user).retire_cid(*cid);
    return 0;
  }

  static int peer_cid_status(ngtcp2_conn*, int change, uint64_t, const ngtcp2_cid*, const uint8_t* token, void* user) {
    if (!token) return 0;
    const Cid of_token({token, NGTCP2_STATELESS_RESET_TOKENLEN});
    if (change == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE)
      of(user).register_reset_token(of_token);
    else
      of(user).retire_reset_token(of_token);
    return 0;
  }

  static int path_challenge(ngtcp2_conn*, uint8_t* out, void* user) {
    of(user).shared_.world.entropy.fill({out, NGTCP2_PATH_CHALLENGE_DATALEN});
    return 0;
  }

  static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    of(user).stateless_reset_ = true;
    return 0;
  }

  static void random(uint8_t* out, size_t bytes, const ngtcp2_rand_ctx* context) {
    static_cast<Entropy*>(context->native_handle)->fill({out, bytes});
  }
};

namespace {

ngtcp2_callbacks common() {
  using To = TransportCallbacks;
  ngtcp2_callbacks out{};
  out.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  out.encrypt = ngtcp2_crypto_encrypt_cb;
  out.decrypt = ngtcp2_crypto_decrypt_cb;
  out.hp_mask = ngtcp2_crypto_hp_mask_cb;
  out.update_key = ngtcp2_crypto_update_key_cb;
  out.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  out.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  out.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  out.handshake_completed = To::handshake_completed;
  out.stream_open = To::stream_open;
  out.recv_stream_data = To::stream_data;
  out.acked_stream_data_offset = To::stream_acked;
  out.stream_reset = To::stream_reset;
  out.stream_close = To::stream_close;
  out.extend_max_stream_data = To::stream_window;
  out.extend_max_local_streams_bidi = To::bidi_streams_available;
  out.extend_max_local_streams_uni = To::uni_streams_available;
  out.recv_datagram = To::datagram;
  out.get_new_connection_id = To::new_cid;
  out.remove_connection_id = To::remove_cid;
  out.dcid_status = To::peer_cid_status;
  out.get_path_challenge_data = To::path_challenge;
  out.recv_stateless_reset = To::stateless_reset;
  out.rand = To::random;
  return out;
}

ngtcp2_callbacks of_client() {
  ngtcp2_callbacks out = common();
  out.client_initial = ngtcp2_crypto_client_initial_cb;
  out.recv_retry = ngtcp2_crypto_recv_retry_cb;
  return out;
}

ngtcp2_callbacks of_server() {
  ngtcp2_callbacks out = common();
  out.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  return out;
}

}  // namespace

const ngtcp2_callbacks& callbacks_of(Role role) {
  static const ngtcp2_callbacks kClient = of_client();
  static const ngtcp2_callbacks kServer = of_server();
  return role == Role::kClient ? kClient : kServer;
}

void stateless_reset_token(const EndpointSecrets& secrets, const ngtcp2_cid& cid, uint8_t* out) {
  const auto& key = secrets.stateless_reset_key;
  GW_CHECK(ngtcp2_crypto_generate_stateless_reset_token(out, key.data(), key.size(), &cid) == 0);
}

// --- what they tell -------------------------------------------------------------------------------------------------

void Transport::on_handshake_completed() {
  handshake_completed_ = true;
  half_open_ = {};
  enter(Stage::kOpen);
  WorkerMetrics& metrics = shared_.world.metrics;
  metrics.connections_opened.add();
  if (tls_->resumed()) metrics.handshakes_resumed.add();
  metrics.handshake_seconds.record(shared_.world.clock.now() - created_);
  record(HandshakeCompleted{});
}

void Transport::on_stream_open(StreamId id) {
  Stream& stream = streams_.add(id);
  ngtcp2_conn_set_stream_user_data(connection_.get(), id, &stream);
  if (streams_.is_shared_lane_of_peer(id)) {
    const TransportConfig& config = shared_.options.transport;
    allow(stream, config.stream_window_bytes - std::min(config.new_stream_window_bytes, config.stream_window_bytes));
  }
}

void Transport::on_stream_data(Stream& stream, Bytes bytes, bool fin) {
  stream.in.append(bytes);
  stream.fin_received |= fin;
  if (std::exchange(stream.readable_told, true)) return;
  record(StreamReadable{stream.id});
}

void Transport::on_stream_acked(Stream& stream, uint64_t offset) {
  const uint64_t before = stream.out.unacked();
  stream.out.mark_acked(offset);
  queued_bytes_ -= before - stream.out.unacked();
  if (stream.out.finished() || std::exchange(stream.drained_told, true)) return;
  record(StreamDrained{stream.id, stream.out.unacked()});
}

void Transport::on_stream_reset(Stream& stream, uint64_t app_error) {
  drop_unread(stream);
  if (std::exchange(stream.reset_told, true)) return;
  record(StreamReset{stream.id, app_error});
}

/// STOP_SENDING, which ngtcp2 0.12 answers by itself and tells nobody, shows when the stream is over and what we sent
/// is not.
void Transport::on_stream_over(Stream& stream, uint64_t app_error) {
  stream.over = true;
  if (stream.out.unacked() > 0) told_to_stop(stream, app_error);
  packets_lost_ += ngtcp2_conn_get_stream_loss_count(connection_.get(), stream.id);
  stop_sending_of(stream);
  if (stream.in.readable().empty()) tell_closed(stream);
}

void Transport::on_stream_window(Stream& stream) {
  if (stream.out.has_work()) schedule_.add(stream);
}

void Transport::on_streams_available(StreamKind kind) {
  if (std::exchange(refused_[static_cast<size_t>(kind)], false)) record(StreamsAvailable{});
}

void Transport::on_peer_reset() {
  if (!peer_resets_.take(shared_.world.clock.now())) abusive_ = true;
}

void Transport::on_datagram(Bytes payload) { record(DatagramReceived{{payload.begin(), payload.end()}}); }

void Transport::issue_cid(ngtcp2_cid& cid, uint8_t* token, size_t bytes) {
  GW_CHECK(bytes == shared_.cid_source.bytes());
  cid.datalen = bytes;
  shared_.cid_source.fill({cid.data, bytes});
  stateless_reset_token(shared_.options.secrets, cid, token);
  register_cid(from_ngtcp2(cid));
}

}  // namespace godwit::quic

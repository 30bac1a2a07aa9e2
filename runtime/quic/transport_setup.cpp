// How a connection begins: ngtcp2's settings and transport parameters from our configuration.

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/ngtcp2_types.h"
#include "quic/tls_context.h"
#include "quic/transport.h"
#include "quic/transport_callbacks.h"

namespace godwit::quic {
namespace {

/// Enough for a peer to change its path a few times in a row without waiting for a fresh id.
constexpr uint64_t kActiveCidsMax = 4;

/// What a round trip is taken for until one was measured. RFC 9002 recommends 333 ms, with which the first probes go
/// out after 1, 3 and 7 s: at 30 % loss each way one handshake in fifty is then not done after 15 s. With this one they
/// go out after 0.3, 0.9, 2.1 and 4.5 s, and all are; on slower paths it costs a few packets too many, once.
constexpr ngtcp2_duration kInitialRtt = 100 * NGTCP2_MILLISECONDS;

/// ngtcp2 0.12 knows version 2 under its draft's number.
uint32_t kVersionsWith2[] = {NGTCP2_PROTO_VER_V2_DRAFT, NGTCP2_PROTO_VER_V1};

}  // namespace

ngtcp2_settings Transport::settings(Timestamp now) const {
  const TransportConfig& config = shared_.options.transport;
  ngtcp2_settings out;
  ngtcp2_settings_default(&out);
  out.initial_ts = to_ns(now);
  out.cc_algo = config.congestion_control == CongestionControl::kBbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
  out.max_tx_udp_payload_size = config.max_udp_payload_bytes;
  out.initial_rtt = kInitialRtt;
  out.no_pmtud = !config.pmtud;
  out.max_window = config.connection_window_bytes_max;
  out.max_stream_window = config.stream_window_bytes_max;
  out.handshake_timeout = static_cast<ngtcp2_duration>(config.handshake_timeout.count());
  out.rand_ctx.native_handle = &shared_.world.entropy;
  if (config.version2) {
    out.preferred_versions = kVersionsWith2;
    out.preferred_versionslen = std::size(kVersionsWith2);
    out.other_versions = kVersionsWith2;
    out.other_versionslen = std::size(kVersionsWith2);
  }
  return out;
}

void Transport::begin_qlog(const Cid& original_dcid, ngtcp2_settings& settings) {
  const TransportConfig& config = shared_.options.transport;
  if (config.qlog_dir.empty()) return;
  qlog_ = QlogFile::create(config.qlog_dir, original_dcid, role_, config.qlog_bytes_max);
  if (!qlog_) {
    shared_.world.log.warn("a qlog file cannot be made", {{"dir", config.qlog_dir.string()}});
    return;
  }
  settings.qlog = {to_ngtcp2(original_dcid), [](void* user, uint32_t, const void* record, size_t bytes) {
                     static_cast<Transport*>(user)->qlog_->write({static_cast<const uint8_t*>(record), bytes});
                   }};
}

ngtcp2_transport_params Transport::transport_params() const {
  const TransportConfig& config = shared_.options.transport;
  ngtcp2_transport_params out;
  ngtcp2_transport_params_default(&out);
  out.initial_max_streams_bidi = config.max_streams_bidi;
  out.initial_max_streams_uni = config.max_streams_uni;
  out.initial_max_stream_data_bidi_local = config.stream_window_bytes;
  out.initial_max_stream_data_bidi_remote = config.stream_window_bytes;
  out.initial_max_stream_data_uni = std::min(config.new_stream_window_bytes, config.stream_window_bytes);
  out.initial_max_data = config.connection_window_bytes;
  out.max_idle_timeout = static_cast<ngtcp2_duration>(config.idle_timeout.count());
  out.max_datagram_frame_size = config.max_datagram_frame_bytes;
  out.active_connection_id_limit = kActiveCidsMax;
  return out;
}

void Transport::adopt(ngtcp2_conn* connection, std::unique_ptr<TlsSession> tls, Timestamp now) {
  connection_.reset(connection);
  tls_ = std::move(tls);
  tls_->attach(*connection);
  ngtcp2_conn_set_tls_native_handle(connection, tls_.get());
  const Duration keep_alive = shared_.options.transport.keep_alive;
  if (keep_alive > 0s) ngtcp2_conn_set_keep_alive_timeout(connection, static_cast<ngtcp2_duration>(keep_alive.count()));
  created_ = now;
  enter(Stage::kHandshaking);
  mark_dirty();
}

Status Transport::accept(Arrival arrival) {
  std::unique_ptr<TlsSession> tls = TlsSession::accept(shared_.options.tls_server);
  if (!tls) return fail(Code::kOutOfMemory, "no memory for a TLS session");
  half_open_ = std::move(arrival.half_open);
  path_ = arrival.path;
  const Cid ours = shared_.cid_source.next();
  const ngtcp2_cid scid = to_ngtcp2(ours), dcid = to_ngtcp2(arrival.client_scid);
  const ngtcp2_path path = to_ngtcp2(path_);

  ngtcp2_settings settings = this->settings(arrival.now);
  settings.token = {const_cast<uint8_t*>(arrival.token.data()), arrival.token.size()};
  const Cid original_dcid = arrival.before_retry.value_or(arrival.client_dcid);
  begin_qlog(original_dcid, settings);
  ngtcp2_transport_params params = transport_params();
  params.original_dcid = to_ngtcp2(original_dcid);
  if (arrival.before_retry) {
    params.retry_scid = to_ngtcp2(arrival.client_dcid);
    params.retry_scid_present = 1;
  }
  params.stateless_reset_token_present = 1;
  stateless_reset_token(shared_.options.secrets, scid, params.stateless_reset_token);

  ngtcp2_conn* connection = nullptr;
  const int result = ngtcp2_conn_server_new(&connection, &dcid, &scid, &path, arrival.version, &callbacks_of(role_),
                                            &settings, &params, nullptr, this);
  if (result != 0) return fail(Code::kInternal, ngtcp2_strerror(result));
  adopt(connection, std::move(tls), arrival.now);
  register_cid(ours);
  register_cid(arrival.client_dcid);
  return {};
}

Status Transport::connect(const NetworkPath& to, const std::string& server_name, std::optional<uint8_t> first_byte,
                          Timestamp now) {
  std::unique_ptr<TlsSession> tls = TlsSession::connect(*shared_.options.tls_client, server_name);
  if (!tls) return fail(Code::kAddressInvalid, "the server's name cannot be verified: '" + server_name + "'");
  path_ = to;
  any_local_host_ = to.local.is_unspecified();
  const Cid ours = shared_.cid_source.next();
  uint8_t random[CidSource::kServerBytes];
  shared_.world.entropy.fill(random);
  random[0] = first_byte.value_or(random[0]);
  const Cid theirs(random);
  const ngtcp2_cid scid = to_ngtcp2(ours), dcid = to_ngtcp2(theirs);
  const ngtcp2_path path = to_ngtcp2(path_);
  ngtcp2_settings settings = this->settings(now);
  begin_qlog(theirs, settings);
  const ngtcp2_transport_params params = transport_params();
  ngtcp2_conn* connection = nullptr;
  const int result = ngtcp2_conn_client_new(&connection, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1, &callbacks_of(role_),
                                            &settings, &params, nullptr, this);
  if (result != 0) return fail(Code::kInternal, ngtcp2_strerror(result));
  adopt(connection, std::move(tls), now);
  register_cid(ours);
  return {};
}

}  // namespace godwit::quic

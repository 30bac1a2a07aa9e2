// How a connection ends: timeouts, errors on either side, goodbyes (RFC 9000, section 10).

#include "quic/ngtcp2_types.h"
#include "quic/transport.h"

namespace godwit::quic {
namespace {

/// How long a closed connection still answers or swallows what is on its way, in probe timeouts.
constexpr int kLingerPtos = 3;

/// How long what was queued before a goodbye may take to be written. A peer that grants no credit but stays awake would
/// otherwise keep its connection for ever; 30 s bring a body of 1 MiB over a slow mobile path.
constexpr Duration kLeavingTimeMax = 30s;

/// A CONNECTION_CLOSE fits the smallest packet that every path carries.
constexpr size_t kGoodbyeBytesMax = 1200;
constexpr size_t kReasonBytesMax = 256;

Code code_of_alert(uint64_t alert) {
  switch (static_cast<TlsAlert>(alert)) {
    case TlsAlert::kNoApplicationProtocol: return Code::kAlpnMismatch;
    case TlsAlert::kBadCertificate:
    case TlsAlert::kUnsupportedCertificate:
    case TlsAlert::kCertificateRevoked:
    case TlsAlert::kCertificateExpired:
    case TlsAlert::kCertificateUnknown:
    case TlsAlert::kUnknownCa:
    case TlsAlert::kCertificateRequired: return Code::kUnauthenticated;
    default: return Code::kHandshakeFailed;
  }
}

Code code_of_transport_error(uint64_t error) {
  if ((error & ~uint64_t{0xff}) == NGTCP2_CRYPTO_ERROR) return code_of_alert(error & 0xff);
  switch (error) {
    case NGTCP2_NO_ERROR: return Code::kPeerClosed;
    case NGTCP2_CONNECTION_REFUSED:
    case NGTCP2_APPLICATION_ERROR: return Code::kConnectionRefused;
    case NGTCP2_INVALID_TOKEN: return Code::kAddressNotValidated;
    default: return Code::kProtocolError;
  }
}

Code code_of_library_error(int error) {
  switch (error) {
    case NGTCP2_ERR_NOMEM: return Code::kOutOfMemory;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
    case NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE: return Code::kVersionUnsupported;
    case NGTCP2_ERR_NO_VIABLE_PATH:
    case NGTCP2_ERR_AEAD_LIMIT_REACHED:
    case NGTCP2_ERR_PKT_NUM_EXHAUSTED: return Code::kConnectionLost;
    case NGTCP2_ERR_CALLBACK_FAILURE:
    case NGTCP2_ERR_INTERNAL:
    case NGTCP2_ERR_INVALID_STATE:
    case NGTCP2_ERR_INVALID_ARGUMENT: return Code::kInternal;
    default: return Code::kProtocolError;
  }
}

}  // namespace

void Transport::on_timer(Timestamp now) {
  if (const auto* closing = std::get_if<Closing>(&life_)) return linger(closing->until, now);
  if (const auto* draining = std::get_if<Draining>(&life_)) return linger(draining->until, now);
  if (!is_open()) return;
  if (leaving_ && now >= leaving_->until) return say_application_goodbye(now);
  mark_dirty();
  if (ngtcp2_conn_get_expiry(connection_.get()) > to_ns(now)) return;
  const int result = ngtcp2_conn_handle_expiry(connection_.get(), to_ns(now));
  switch (result) {
    case 0: return;
    case NGTCP2_ERR_IDLE_CLOSE: return die({Code::kIdleTimeout, 0, "nothing was heard for the idle timeout"});
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      if (role_ == Role::kClient && !heard_) return die({Code::kConnectTimeout, 0, "no answer"});
      return die({Code::kHandshakeTimeout, 0, "the handshake did not finish in time"});
    default: return fail_local(result, now);
  }
}

void Transport::linger(Timestamp until, Timestamp now) {
  if (now < until) return shared_.world.timers.arm(timer_, until);
  die({});
}

void Transport::fail_read(int error, Timestamp now) {
  switch (error) {
    case NGTCP2_ERR_DRAINING: return drain(closed_by_peer(), now);
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY: return die({Code::kProtocolError, 0, "the first packet made no sense"});
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      return die({Code::kVersionUnsupported, 0, "the server speaks no QUIC version of ours"});
    default: return fail_local(error, now);
  }
}

void Transport::fail_local(int error, Timestamp now) {
  ngtcp2_connection_close_error wire;
  ngtcp2_connection_close_error_default(&wire);
  if (error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_connection_close_error_set_transport_error_tls_alert(&wire, ngtcp2_conn_get_tls_alert(connection_.get()),
                                                                nullptr, 0);
    return say_goodbye(wire, closed_by_tls(), now);
  }
  ngtcp2_connection_close_error_set_transport_error_liberr(&wire, error, nullptr, 0);
  say_goodbye(wire, {code_of_library_error(error), 0, ngtcp2_strerror(error)}, now);
}

Closed Transport::closed_by_tls() const {
  if (tls_->alert() == static_cast<uint8_t>(TlsAlert::kNoApplicationProtocol) && role_ == Role::kServer)
    shared_.world.metrics.alpn_mismatches.add();
  return {tls_->failure().code, 0, tls_->failure().text};
}

Closed Transport::closed_by_peer() const {
  if (stateless_reset_) return {Code::kConnectionReset, 0, "stateless reset"};
  ngtcp2_connection_close_error wire;
  ngtcp2_conn_get_connection_close_error(connection_.get(), &wire);
  std::string reason(reinterpret_cast<const char*>(wire.reason), wire.reasonlen);
  if (wire.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION)
    return {Code::kPeerClosed, wire.error_code, std::move(reason)};
  return {code_of_transport_error(wire.error_code), 0, std::move(reason)};
}

void Transport::close(Code code, std::string_view reason, Connection::CloseMode mode) {
  // A second goodbye only counts when it is more urgent than the first.
  if (!is_open() || (leaving_ && mode == Connection::CloseMode::kAfterQueued)) return;
  if (mode == Connection::CloseMode::kAbort) return abort(code, reason, shared_.world.clock.now());
  leaving_ = Leaving{code, std::string(reason.substr(0, kReasonBytesMax)), shared_.world.clock.now() + kLeavingTimeMax};
  mark_dirty();
}

void Transport::abort(Code code, std::string_view reason, Timestamp now) {
  leaving_ = Leaving{code, std::string(reason.substr(0, kReasonBytesMax)), now};
  say_application_goodbye(now);
}

/// Once all is written, the goodbye waits for the acknowledgements, because nothing lost is sent again after it.
void Transport::leave_when_done(Timestamp now) {
  if (!leaving_ || !schedule_.empty() || !datagrams_.empty()) return;
  if (queued_bytes_ == 0 || now >= leaving_->until) return say_application_goodbye(now);
  if (unsent_bytes() > 0) return;
  const Timestamp patience_ends = now + kLingerPtos * Duration(ngtcp2_conn_get_pto(connection_.get()));
  leaving_->until = std::min(leaving_->until, patience_ends);
}

/// Streams that flow control holds are in no schedule, but have something to say.
uint64_t Transport::unsent_bytes() const {
  uint64_t bytes = 0;
  streams_.for_each([&](const Stream& stream) { bytes += stream.out.unsent(); });
  return bytes;
}

void Transport::say_application_goodbye(Timestamp now) {
  ngtcp2_connection_close_error wire;
  const Bytes reason = as_bytes(leaving_->reason);
  ngtcp2_connection_close_error_default(&wire);
  ngtcp2_connection_close_error_set_application_error(&wire, to_app_error(leaving_->code), reason.data(),
                                                      reason.size());
  say_goodbye(wire, {leaving_->code, 0, leaving_->reason}, now);
}

void Transport::say_goodbye(const ngtcp2_connection_close_error& wire, Closed closed, Timestamp now) {
  if (!is_open()) return;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  std::vector<uint8_t> packet(kGoodbyeBytesMax);
  const Timestamp until = now + kLingerPtos * Duration(ngtcp2_conn_get_pto(connection_.get()));
  const ngtcp2_ssize written = ngtcp2_conn_write_connection_close(connection_.get(), &path.path, &info, packet.data(),
                                                                  packet.size(), &wire, to_ns(now));
  if (written <= 0) return die(std::move(closed));
  packet.resize(static_cast<size_t>(written));
  life_ = Closing{std::move(packet), from_ngtcp2(path.path), until};
  shared_.world.timers.arm(timer_, until);
  mark_dirty();
  end_for_owner(std::move(closed));
}

void Transport::repeat_goodbye(const Closing& closing) {
  Transmitter& transmitter = shared_.transmitter;
  std::copy(closing.packet.begin(), closing.packet.end(), transmitter.room().begin());
  transmitter.commit(closing.packet.size(), closing.path, 0);
  transmitter.send();
}

void Transport::drain(Closed closed, Timestamp now) {
  const Timestamp until = now + kLingerPtos * Duration(ngtcp2_conn_get_pto(connection_.get()));
  life_ = Draining{until};
  shared_.world.timers.arm(timer_, until);
  end_for_owner(std::move(closed));
}

void Transport::die(Closed closed) {
  end_for_owner(std::move(closed));
  life_ = Dead{};
  shared_.world.timers.disarm(timer_);
  forget_cids();
  mark_eventful();
}

/// The last event, whatever the reason; later ones are not told.
void Transport::end_for_owner(Closed closed) {
  if (std::exchange(ended_, true)) return;
  enter(Stage::kDraining);
  count_end(closed);
  record(std::move(closed));
}

void Transport::count_end(const Closed& closed) {
  WorkerMetrics& metrics = shared_.world.metrics;
  if (leaving_)
    metrics.connections_closed_local.add();
  else if (closed.code == Code::kPeerClosed)
    metrics.connections_closed_peer.add();
  else if (closed.code == Code::kIdleTimeout)
    metrics.connections_closed_idle.add();
  else
    metrics.connections_closed_error.add();
}

}  // namespace godwit::quic

#include "quic/tls_session.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "quic/tls_context.h"
#include "quic/wolfssl_api.h"

namespace godwit::quic {
namespace {

/// wolfSSL compares addresses as text, IPv6 as eight groups of four capital digits.
std::string address_as_wolfssl_prints_it(const std::string& name) {
  in_addr v4;
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) return name;
  in6_addr v6;
  if (inet_pton(AF_INET6, name.c_str(), &v6) != 1) return {};
  std::string text;
  for (int i = 0; i < 16; i += 2) text += fmt::format("{}{:02X}{:02X}", i ? ":" : "", v6.s6_addr[i], v6.s6_addr[i + 1]);
  return text;
}

/// Verification errors are told apart from other failures: their cure is another file or name, not another server.
Code code_of(int wolfssl_error) {
  switch (wolfssl_error) {
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
    case ASN_SIG_CONFIRM_E:
    case ASN_AFTER_DATE_E:
    case ASN_BEFORE_DATE_E:
    case ASN_PARSE_E:
    case ASN_PATHLEN_INV_E:
    case ASN_PATHLEN_SIZE_E:
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH:
    case NO_PEER_CERT:
    case VERIFY_CERT_ERROR:
    case EXTKEYUSE_AUTH_E:
    case KEYUSE_SIGNATURE_E: return Code::kCertificateUntrusted;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E: return Code::kAlpnMismatch;
    default: return Code::kHandshakeFailed;
  }
}

}  // namespace

void TlsSession::Free::operator()(WOLFSSL* tls) const { wolfSSL_free(tls); }

TlsSession::TlsSession(WOLFSSL_CTX* context, Role role, bool learns_peer_name)
    : tls_(wolfSSL_new(context)), role_(role), learns_peer_name_(learns_peer_name) {}

std::unique_ptr<TlsSession> TlsSession::accept(std::shared_ptr<const TlsServer> server) {
  std::unique_ptr<TlsSession> session(
      new TlsSession(server->context().raw(), Role::kServer, server->asks_for_certificate()));
  session->server_ = std::move(server);
  return session->configure(session->server_->context().alpn_list()) ? std::move(session) : nullptr;
}

std::unique_ptr<TlsSession> TlsSession::connect(const TlsClient& client, const std::string& server_name) {
  std::unique_ptr<TlsSession> session(new TlsSession(client.context().raw(), Role::kClient, client.verify()));
  if (!session->configure(client.context().alpn_list())) return nullptr;
  if (wolfSSL_UseKeyShare(session->raw(), WOLFSSL_ECC_X25519) != WOLFSSL_SUCCESS) return nullptr;
  if (!session->expect_server(server_name)) return nullptr;
  session->tickets_ = &client.tickets();
  session->server_name_ = server_name;
  session->use_ticket();
  return session;
}

/// A ticket that cannot be used is as good as none.
void TlsSession::use_ticket() {
  auto ticket = tickets_->take(server_name_);
  if (ticket && wolfSSL_set_session(raw(), ticket->session.get()) == WOLFSSL_SUCCESS)
    peer_name_ = std::move(ticket->peer_name);
}

bool TlsSession::configure(const std::string& alpn_list) {
  if (!tls_) return false;
  if (role_ == Role::kServer)
    wolfSSL_set_accept_state(raw());
  else
    wolfSSL_set_connect_state(raw());
  if (wolfSSL_set_app_data(raw(), this) != WOLFSSL_SUCCESS) return false;
  return alpn_list.empty() ||
         wolfSSL_UseALPN(raw(), const_cast<char*>(alpn_list.data()), static_cast<unsigned>(alpn_list.size()),
                         WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

/// Server name indication carries host names only (RFC 6066, section 3); both kinds are verified.
bool TlsSession::expect_server(const std::string& server_name) {
  if (server_name.empty()) return !learns_peer_name_;
  const std::string address = address_as_wolfssl_prints_it(server_name);
  if (!address.empty())
    return wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(raw()), address.c_str()) == WOLFSSL_SUCCESS;
  return wolfSSL_UseSNI(raw(), WOLFSSL_SNI_HOST_NAME, server_name.data(),
                        static_cast<unsigned short>(server_name.size())) == WOLFSSL_SUCCESS &&
         wolfSSL_check_domain_name(raw(), server_name.c_str()) == WOLFSSL_SUCCESS;
}

bool TlsSession::advance(int wolfssl_level, Bytes bytes) {
  if (!tls_) {
    // A server may send more tickets than one, which we do not use; a client has nothing to say any more.
    if (role_ == Role::kClient) return true;
    raise(static_cast<uint8_t>(TlsAlert::kUnexpectedMessage));
    return false;
  }
  if (!bytes.empty() && wolfSSL_provide_quic_data(raw(), static_cast<WOLFSSL_ENCRYPTION_LEVEL>(wolfssl_level),
                                                  bytes.data(), bytes.size()) != WOLFSSL_SUCCESS)
    return fail_handshake(0);
  return completed_ ? after_handshake() : handshake();
}

/// All that a server says then is a ticket.
bool TlsSession::after_handshake() {
  const int result = wolfSSL_process_quic_post_handshake(raw());
  if (result != WOLFSSL_SUCCESS) {
    const int error = wolfSSL_get_error(raw(), result);
    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE || fail_handshake(result);
  }
  if (!tickets_) return true;
  KeptTicket ticket{decltype(KeptTicket::session)(wolfSSL_get1_session(raw())), peer_name_};
  if (ticket.session) std::exchange(tickets_, nullptr)->put(server_name_, std::move(ticket));
  return true;
}

void TlsSession::shed() {
  if (!tickets_) tls_.reset();
}

bool TlsSession::handshake() {
  const int result = wolfSSL_quic_do_handshake(raw());
  if (result <= 0) {
    const int error = wolfSSL_get_error(raw(), result);
    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE || fail_handshake(result);
  }
  if (!protocol_agreed()) return false;
  resumed_ = wolfSSL_session_reused(raw()) != 0;
  if (!resumed_) learn_peer_name();
  completed_ = true;
  return true;
}

bool TlsSession::protocol_agreed() {
  if (!alpn_.empty()) return true;
  char* name = nullptr;
  unsigned short bytes = 0;
  if (wolfSSL_ALPN_GetProtocol(raw(), &name, &bytes) == WOLFSSL_SUCCESS && bytes > 0) {
    alpn_.assign(name, bytes);
    return true;
  }
  raise(static_cast<uint8_t>(TlsAlert::kNoApplicationProtocol));
  failure_ = {Code::kAlpnMismatch, "the peer named no application protocol"};
  return false;
}

bool TlsSession::fail_handshake(int result) {
  const int error = wolfSSL_get_error(raw(), result);
  if (alert_ == static_cast<uint8_t>(TlsAlert::kNoApplicationProtocol)) {
    failure_ = {Code::kAlpnMismatch, "no application protocol in common"};
    return false;
  }
  failure_ = {code_of(error),
              fmt::format("{} ({})", wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error)), error)};
  raise(static_cast<uint8_t>(TlsAlert::kHandshakeFailure));
  return false;
}

void TlsSession::raise(uint8_t alert) {
  if (alert_ == 0) alert_ = alert;
}

void TlsSession::learn_peer_name() {
  if (!learns_peer_name_) return;
  struct FreeX509 {
    void operator()(WOLFSSL_X509* certificate) const { wolfSSL_X509_free(certificate); }
  };
  const std::unique_ptr<WOLFSSL_X509, FreeX509> certificate(wolfSSL_get_peer_certificate(raw()));
  if (!certificate) return;
  const char* name = wolfSSL_X509_get_subjectCN(certificate.get());
  if (!name || !*name) name = wolfSSL_X509_get_next_altname(certificate.get());
  if (name) peer_name_ = name;
}

}  // namespace godwit::quic

#include "quic/tls_context.h"

#include <fmt/format.h>

#include "base/sha256.h"
#include "quic/certificate.h"
#include "quic/tls_session.h"
#include "quic/wolfssl_api.h"

namespace godwit::quic {
namespace {

/// AES-128 first: with AES-NI it is the fastest and as strong as X25519. ChaCha20 serves peers without AES
/// instructions.
constexpr const char* kSuites = "TLS13-AES128-GCM-SHA256:TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES256-GCM-SHA384";

Status set_up(WOLFSSL_CTX* context) {
  wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
  const bool ok = wolfSSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_cipher_list(context, kSuites) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_UseSupportedCurve(context, WOLFSSL_ECC_X25519) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_UseSupportedCurve(context, WOLFSSL_ECC_SECP256R1) == WOLFSSL_SUCCESS &&
                  TlsSession::install_callbacks(context);
  return ok ? Status() : fail(Code::kInternal, "wolfSSL refused its settings");
}

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ",")); }

int verification_of(TlsServerConfig::ClientAuth auth) {
  switch (auth) {
    case TlsServerConfig::ClientAuth::kNone: return WOLFSSL_VERIFY_NONE;
    case TlsServerConfig::ClientAuth::kRequest: return WOLFSSL_VERIFY_PEER;
    case TlsServerConfig::ClientAuth::kRequire: return WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

}  // namespace

void TlsContext::Free::operator()(WOLFSSL_CTX* context) const {
  wolfSSL_CTX_free(context);
  wolfSSL_Cleanup();  // counted by wolfSSL: one for each wolfSSL_Init below
}

Result<TlsContext> TlsContext::make(Role role, std::vector<std::string> alpn) {
  wolfSSL_Init();
  const bool server = role == Role::kServer;
  TlsContext out;
  out.context_.reset(wolfSSL_CTX_new(server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method()));
  if (!out.context_) return fail(Code::kOutOfMemory, "no memory for a TLS context");
  out.alpn_list_ = joined(alpn);
  if (Status ok = set_up(out.raw()); !ok) return tl::unexpected(ok.error());
  return out;
}

Status TlsContext::use_certificate(const std::filesystem::path& chain, const std::filesystem::path& key,
                                   int64_t unix_us) {
  const Result<std::string> chain_pem = read_pem(chain);
  if (!chain_pem) return tl::unexpected(chain_pem.error());
  if (Status ok = check_chain(*chain_pem, chain, unix_us); !ok) return ok;
  const Result<std::string> key_pem = read_pem(key);
  if (!key_pem) return tl::unexpected(key_pem.error());

  const Bytes chain_bytes = as_bytes(*chain_pem), key_bytes = as_bytes(*key_pem);
  if (wolfSSL_CTX_use_certificate_chain_buffer(raw(), chain_bytes.data(), static_cast<long>(chain_bytes.size())) !=
      WOLFSSL_SUCCESS)
    return fail(Code::kCertificateInvalid, fmt::format("{}: not a certificate that TLS can use", chain.string()));
  if (wolfSSL_CTX_use_PrivateKey_buffer(raw(), key_bytes.data(), static_cast<long>(key_bytes.size()),
                                        WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
    return fail(Code::kCertificateInvalid, fmt::format("{}: no usable private key (PEM, not encrypted)", key.string()));
  if (wolfSSL_CTX_check_private_key(raw()) != WOLFSSL_SUCCESS)
    return fail(Code::kCertificateInvalid,
                fmt::format("{}: this key does not belong to the certificate in {}", key.string(), chain.string()));
  certificate_digest_ = to_hex(sha256(chain_bytes));
  return {};
}

Status TlsContext::give_tickets(Sealer& sealer) {
  tickets_ = std::make_unique<TicketSeal>(sealer, alpn_list_ + ' ' + certificate_digest_);
  return tickets_->serve(raw());
}

Status TlsContext::trust(const std::filesystem::path& ca_file) {
  const Result<std::string> pem = read_pem(ca_file);
  if (!pem) return tl::unexpected(pem.error());
  if (pem->find("-----BEGIN ") == std::string::npos)
    return fail(Code::kCertificateInvalid, fmt::format("{}: no certificate in PEM form", ca_file.string()));
  const Bytes bytes = as_bytes(*pem);
  if (wolfSSL_CTX_load_verify_buffer(raw(), bytes.data(), static_cast<long>(bytes.size()), WOLFSSL_FILETYPE_PEM) !=
      WOLFSSL_SUCCESS)
    return fail(Code::kCertificateInvalid,
                fmt::format("{}: holds no certificate authority that can be trusted", ca_file.string()));
  return {};
}

Status TlsContext::trust_system() {
  if (wolfSSL_CTX_load_system_CA_certs(raw()) != WOLFSSL_SUCCESS)
    return fail(Code::kCertificateInvalid,
                "the system has no certificate authorities (Debian's are in ca-certificates); give a CA file");
  return {};
}

Result<std::shared_ptr<TlsServer>> load_tls_server(const TlsServerConfig& config, int64_t unix_us) {
  using ClientAuth = TlsServerConfig::ClientAuth;
  if (config.alpn.empty()) return fail(Code::kConfigInvalid, "no ALPN protocol is configured");
  Result<TlsContext> context = TlsContext::make(Role::kServer, config.alpn);
  if (!context) return tl::unexpected(context.error());
  if (Status ok = context->use_certificate(config.certificate_file, config.key_file, unix_us); !ok)
    return tl::unexpected(ok.error());
  const bool asks = config.client_auth != ClientAuth::kNone;
  if (asks && config.client_ca_file.empty())
    return fail(Code::kConfigInvalid, "client certificates are asked for, but no client CA file is given");
  if (asks) {
    if (Status ok = context->trust(config.client_ca_file); !ok) return tl::unexpected(ok.error());
  }
  wolfSSL_CTX_set_verify(context->raw(), verification_of(config.client_auth), nullptr);
  const bool tickets = config.ticket_sealer && !asks;
  if (!tickets) wolfSSL_CTX_no_ticket_TLSv13(context->raw());
  if (const Status ok = tickets ? context->give_tickets(*config.ticket_sealer) : Status(); !ok)
    return tl::unexpected(ok.error());
  return std::make_shared<TlsServer>(std::move(*context), asks);
}

Result<std::shared_ptr<TlsClient>> load_tls_client(const TlsClientConfig& config) {
  if (config.alpn.empty()) return fail(Code::kConfigInvalid, "no ALPN protocol is configured");
  Result<TlsContext> context = TlsContext::make(Role::kClient, config.alpn);
  if (!context) return tl::unexpected(context.error());
  if (!config.certificate_file.empty()) {
    if (Status ok = context->use_certificate(config.certificate_file, config.key_file, 0); !ok)
      return tl::unexpected(ok.error());
  }
  if (config.verify) {
    const Status ok = config.ca_file.empty() ? context->trust_system() : context->trust(config.ca_file);
    if (!ok) return tl::unexpected(ok.error());
  }
  wolfSSL_CTX_set_verify(context->raw(), config.verify ? WOLFSSL_VERIFY_PEER : WOLFSSL_VERIFY_NONE, nullptr);
  return std::make_shared<TlsClient>(std::move(*context), config.verify);
}

}  // namespace godwit::quic

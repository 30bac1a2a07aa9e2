// Between wolfSSL's QUIC interface and ngtcp2: the second half of the crypto helper's backend (the first is
// packet_protection.cpp). The native TLS handle of a connection is its TlsSession.
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/cipher_suite.h"
#include "quic/tls_session.h"
#include "quic/wolfssl_api.h"

namespace godwit::quic {
namespace {

TlsSession& session_of(void* native_handle) { return *static_cast<TlsSession*>(native_handle); }
TlsSession& session_of(WOLFSSL* tls) { return session_of(wolfSSL_get_app_data(tls)); }

ngtcp2_crypto_level ngtcp2_level(WOLFSSL_ENCRYPTION_LEVEL level) {
  switch (level) {
    case wolfssl_encryption_initial: return NGTCP2_CRYPTO_LEVEL_INITIAL;
    case wolfssl_encryption_early_data: return NGTCP2_CRYPTO_LEVEL_EARLY;
    case wolfssl_encryption_handshake: return NGTCP2_CRYPTO_LEVEL_HANDSHAKE;
    case wolfssl_encryption_application: return NGTCP2_CRYPTO_LEVEL_APPLICATION;
  }
  return NGTCP2_CRYPTO_LEVEL_APPLICATION;
}

WOLFSSL_ENCRYPTION_LEVEL wolfssl_level(ngtcp2_crypto_level level) {
  switch (level) {
    case NGTCP2_CRYPTO_LEVEL_INITIAL: return wolfssl_encryption_initial;
    case NGTCP2_CRYPTO_LEVEL_EARLY: return wolfssl_encryption_early_data;
    case NGTCP2_CRYPTO_LEVEL_HANDSHAKE: return wolfssl_encryption_handshake;
    case NGTCP2_CRYPTO_LEVEL_APPLICATION: return wolfssl_encryption_application;
  }
  return wolfssl_encryption_application;
}

// wolfSSL's method: 1 is success.

int on_secrets(WOLFSSL* tls, WOLFSSL_ENCRYPTION_LEVEL at, const uint8_t* rx_secret, const uint8_t* tx_secret,
               size_t bytes) {
  TlsSession& session = session_of(tls);
  ngtcp2_conn* connection = &session.connection();
  const ngtcp2_crypto_level level = ngtcp2_level(at);
  const bool server = ngtcp2_conn_is_server(connection);
  if (server && level == NGTCP2_CRYPTO_LEVEL_HANDSHAKE && !session.protocol_agreed()) return 0;
  if (rx_secret &&
      ngtcp2_crypto_derive_and_install_rx_key(connection, nullptr, nullptr, nullptr, level, rx_secret, bytes) != 0)
    return 0;
  if (tx_secret &&
      ngtcp2_crypto_derive_and_install_tx_key(connection, nullptr, nullptr, nullptr, level, tx_secret, bytes) != 0)
    return 0;
  return 1;
}

int on_handshake_data(WOLFSSL* tls, WOLFSSL_ENCRYPTION_LEVEL at, const uint8_t* data, size_t bytes) {
  ngtcp2_conn* connection = &session_of(tls).connection();
  const int result = ngtcp2_conn_submit_crypto_data(connection, ngtcp2_level(at), data, bytes);
  if (result == 0) return 1;
  ngtcp2_conn_set_tls_error(connection, result);
  return 0;
}

int on_flush(WOLFSSL*) { return 1; }

int on_alert(WOLFSSL* tls, WOLFSSL_ENCRYPTION_LEVEL, uint8_t alert) {
  session_of(tls).raise(alert);
  return 1;
}

const WOLFSSL_QUIC_METHOD kQuicMethod{on_secrets, on_handshake_data, on_flush, on_alert};

}  // namespace

bool TlsSession::install_callbacks(WOLFSSL_CTX* context) {
  return wolfSSL_CTX_set_quic_method(context, &kQuicMethod) == WOLFSSL_SUCCESS;
}

const CipherSuite* cipher_suite_of(WOLFSSL* tls) {
  const WOLFSSL_EVP_CIPHER* aead = wolfSSL_quic_get_aead(tls);
  if (!aead) return nullptr;
  if (wolfSSL_quic_aead_is_chacha20(aead)) return &kChaCha20Poly1305Sha256;
  return wolfSSL_EVP_Cipher_key_length(aead) == kAes128GcmSha256.key_bytes ? &kAes128GcmSha256 : &kAes256GcmSha384;
}

}  // namespace godwit::quic

using namespace godwit::quic;

extern "C" {

ngtcp2_crypto_ctx* ngtcp2_crypto_ctx_tls(ngtcp2_crypto_ctx* ctx, void* native_handle) {
  const CipherSuite* suite = cipher_suite_of(session_of(native_handle).raw());
  // on_secrets only runs once a suite of ours was chosen, so there is one.
  describe(suite ? *suite : kAes128GcmSha256, *ctx);
  return ctx;
}

ngtcp2_crypto_ctx* ngtcp2_crypto_ctx_tls_early(ngtcp2_crypto_ctx* ctx, void* native_handle) {
  return ngtcp2_crypto_ctx_tls(ctx, native_handle);
}

int ngtcp2_crypto_read_write_crypto_data(ngtcp2_conn* connection, ngtcp2_crypto_level level, const uint8_t* data,
                                         size_t bytes) {
  TlsSession& session = session_of(ngtcp2_conn_get_tls_native_handle(connection));
  if (!session.advance(wolfssl_level(level), {data, bytes})) {
    ngtcp2_conn_set_tls_alert(connection, session.alert());
    return -1;
  }
  if (session.completed() && !ngtcp2_conn_get_handshake_completed(connection))
    ngtcp2_conn_handshake_completed(connection);
  return 0;
}

int ngtcp2_crypto_set_remote_transport_params(ngtcp2_conn* connection, void* native_handle) {
  const uint8_t* params = nullptr;
  size_t bytes = 0;
  wolfSSL_get_peer_quic_transport_params(session_of(native_handle).raw(), &params, &bytes);
  const int result = ngtcp2_conn_decode_remote_transport_params(connection, params, bytes);
  if (result == 0) return 0;
  ngtcp2_conn_set_tls_error(connection, result);
  return -1;
}

int ngtcp2_crypto_set_local_transport_params(void* native_handle, const uint8_t* params, size_t bytes) {
  WOLFSSL* tls = session_of(native_handle).raw();
  return wolfSSL_set_quic_transport_params(tls, params, bytes) == WOLFSSL_SUCCESS ? 0 : -1;
}

/// For the nonces of Retry tokens, which nobody needs to predict or repeat.
int ngtcp2_crypto_random(uint8_t* out, size_t bytes) {
  return wolfSSL_RAND_bytes(out, static_cast<int>(bytes)) == WOLFSSL_SUCCESS ? 0 : -1;
}

}  // extern "C"

#pragma once

#include <cstddef>
#include <cstdint>

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/wolfssl_api.h"

namespace godwit::quic {

/// The three AEADs that QUIC takes from TLS 1.3 (RFC 9001, section 5.3).
enum class AeadKind : uint8_t { kAesGcm, kChaCha20Poly1305 };

/// One cipher suite as packet protection needs it. The native handles of ngtcp2's aead, md and cipher descriptions all
/// point to one of these.
struct CipherSuite {
  AeadKind aead;
  uint8_t key_bytes;                 ///< of the AEAD and of header protection
  uint8_t digest_bytes;              ///< of HKDF's hash
  int digest;                        ///< wolfCrypt's WC_SHA256 or WC_SHA384
  uint64_t encryptions_max;          ///< packets under one key, RFC 9001, section 6.6
  uint64_t decryption_failures_max;  ///< forgeries under one key before the connection must end
};

inline constexpr size_t kAeadTagBytes = 16;
inline constexpr size_t kAeadNonceBytes = 12;

extern const CipherSuite kAes128GcmSha256;
extern const CipherSuite kAes256GcmSha384;
extern const CipherSuite kChaCha20Poly1305Sha256;

/// The suite that a handshake has chosen; null before it has, or for one that QUIC does not know.
const CipherSuite* cipher_suite_of(WOLFSSL* tls);

/// How ngtcp2 is told about a suite.
void describe(const CipherSuite& suite, ngtcp2_crypto_ctx& out);

}  // namespace godwit::quic

// The primitives under ngtcp2's crypto helper (crypto/shared.c of ngtcp2), straight on wolfCrypt. The helper's own
// wolfSSL backend goes through the EVP layer and makes a random generator per HKDF call, which costs half of a
// handshake; since every symbol of that backend which the helper needs is defined here and in tls_glue.cpp, the linker
// never takes it from the archive.

#include "quic/cipher_suite.h"

#include <string.h>

#include <algorithm>
#include <memory>
#include <new>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/hmac.h>

namespace godwit::quic {

// RFC 9001, section 6.6 and appendix B.
const CipherSuite kAes128GcmSha256{AeadKind::kAesGcm, 16, WC_SHA256_DIGEST_SIZE, WC_SHA256, 1ull << 23, 1ull << 52};
const CipherSuite kAes256GcmSha384{AeadKind::kAesGcm, 32, WC_SHA384_DIGEST_SIZE, WC_SHA384, 1ull << 23, 1ull << 52};
const CipherSuite kChaCha20Poly1305Sha256{
    AeadKind::kChaCha20Poly1305, 32, WC_SHA256_DIGEST_SIZE, WC_SHA256, 1ull << 62, 1ull << 36};

void describe(const CipherSuite& suite, ngtcp2_crypto_ctx& out) {
  void* handle = const_cast<CipherSuite*>(&suite);
  out.aead.native_handle = handle;
  out.aead.max_overhead = kAeadTagBytes;
  out.md.native_handle = handle;
  out.hp.native_handle = handle;
  out.max_encryption = suite.encryptions_max;
  out.max_decryption_failure = suite.decryption_failures_max;
}

namespace {

const CipherSuite& suite_of(const void* native_handle) { return *static_cast<const CipherSuite*>(native_handle); }

/// One key of packet or header protection, expanded; wiped when it goes.
class Key {
 public:
  enum class Use : uint8_t { kAead, kHeader };

  static std::unique_ptr<Key> make(const CipherSuite& suite, Use use, const uint8_t* bytes) {
    std::unique_ptr<Key> key(new (std::nothrow) Key(suite.aead));
    if (!key) return nullptr;
    if (suite.aead == AeadKind::kChaCha20Poly1305) {
      std::copy_n(bytes, suite.key_bytes, key->chacha_);
      return key;
    }
    return key->expand(use, bytes, suite.key_bytes) ? std::move(key) : nullptr;
  }
  ~Key() {
    if (kind_ == AeadKind::kAesGcm) wc_AesFree(&aes_);
    explicit_bzero(&aes_, sizeof aes_);
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  AeadKind kind() const { return kind_; }
  Aes* aes() { return &aes_; }
  const uint8_t* chacha() const { return chacha_; }

 private:
  explicit Key(AeadKind kind) : kind_(kind), aes_{} {}

  bool expand(Use use, const uint8_t* bytes, word32 size) {
    if (wc_AesInit(&aes_, nullptr, INVALID_DEVID) != 0) return false;
    if (use == Use::kAead) return wc_AesGcmSetKey(&aes_, bytes, size) == 0;
    return wc_AesSetKeyDirect(&aes_, bytes, size, nullptr, AES_ENCRYPTION) == 0;
  }

  AeadKind kind_;
  union {
    Aes aes_;
    uint8_t chacha_[CHACHA20_POLY1305_AEAD_KEYSIZE];
  };
};

Key& key_of(const void* native_handle) { return *static_cast<Key*>(const_cast<void*>(native_handle)); }

int adopt(void** native_handle, std::unique_ptr<Key> key) {
  *native_handle = key.release();
  return *native_handle ? 0 : -1;
}

int result_of(int wolfcrypt_result) { return wolfcrypt_result == 0 ? 0 : -1; }

/// RFC 9001, section 5.4.4: the sample is a block counter and a nonce.
int chacha_mask(uint8_t* mask, const uint8_t* key, const uint8_t* sample) {
  static constexpr uint8_t kZeros[5] = {};
  const word32 counter = sample[0] | sample[1] << 8 | sample[2] << 16 | static_cast<word32>(sample[3]) << 24;
  ChaCha cipher;
  if (wc_Chacha_SetKey(&cipher, key, CHACHA20_POLY1305_AEAD_KEYSIZE) != 0) return -1;
  if (wc_Chacha_SetIV(&cipher, sample + 4, counter) != 0) return -1;
  return result_of(wc_Chacha_Process(&cipher, mask, kZeros, sizeof kZeros));
}

}  // namespace

}  // namespace godwit::quic

using namespace godwit::quic;

extern "C" {

ngtcp2_crypto_aead* ngtcp2_crypto_aead_aes_128_gcm(ngtcp2_crypto_aead* aead) {
  aead->native_handle = const_cast<CipherSuite*>(&kAes128GcmSha256);
  aead->max_overhead = kAeadTagBytes;
  return aead;
}

ngtcp2_crypto_aead* ngtcp2_crypto_aead_retry(ngtcp2_crypto_aead* aead) { return ngtcp2_crypto_aead_aes_128_gcm(aead); }

ngtcp2_crypto_md* ngtcp2_crypto_md_sha256(ngtcp2_crypto_md* md) {
  md->native_handle = const_cast<CipherSuite*>(&kAes128GcmSha256);
  return md;
}

/// Initial packets bear no secret, so their keys have no limits.
ngtcp2_crypto_ctx* ngtcp2_crypto_ctx_initial(ngtcp2_crypto_ctx* ctx) {
  describe(kAes128GcmSha256, *ctx);
  ctx->max_encryption = 0;
  ctx->max_decryption_failure = 0;
  return ctx;
}

size_t ngtcp2_crypto_md_hashlen(const ngtcp2_crypto_md* md) { return suite_of(md->native_handle).digest_bytes; }
size_t ngtcp2_crypto_aead_keylen(const ngtcp2_crypto_aead* aead) { return suite_of(aead->native_handle).key_bytes; }
size_t ngtcp2_crypto_aead_noncelen(const ngtcp2_crypto_aead*) { return kAeadNonceBytes; }

int ngtcp2_crypto_aead_ctx_encrypt_init(ngtcp2_crypto_aead_ctx* ctx, const ngtcp2_crypto_aead* aead, const uint8_t* key,
                                        size_t) {
  return adopt(&ctx->native_handle, Key::make(suite_of(aead->native_handle), Key::Use::kAead, key));
}

int ngtcp2_crypto_aead_ctx_decrypt_init(ngtcp2_crypto_aead_ctx* ctx, const ngtcp2_crypto_aead* aead, const uint8_t* key,
                                        size_t) {
  return adopt(&ctx->native_handle, Key::make(suite_of(aead->native_handle), Key::Use::kAead, key));
}

void ngtcp2_crypto_aead_ctx_free(ngtcp2_crypto_aead_ctx* ctx) { delete static_cast<Key*>(ctx->native_handle); }

int ngtcp2_crypto_cipher_ctx_encrypt_init(ngtcp2_crypto_cipher_ctx* ctx, const ngtcp2_crypto_cipher* cipher,
                                          const uint8_t* key) {
  return adopt(&ctx->native_handle, Key::make(suite_of(cipher->native_handle), Key::Use::kHeader, key));
}

void ngtcp2_crypto_cipher_ctx_free(ngtcp2_crypto_cipher_ctx* ctx) { delete static_cast<Key*>(ctx->native_handle); }

int ngtcp2_crypto_encrypt(uint8_t* dest, const ngtcp2_crypto_aead*, const ngtcp2_crypto_aead_ctx* ctx,
                          const uint8_t* plain, size_t plain_bytes, const uint8_t* nonce, size_t nonce_bytes,
                          const uint8_t* aad, size_t aad_bytes) {
  Key& key = key_of(ctx->native_handle);
  uint8_t* tag = dest + plain_bytes;
  if (key.kind() == AeadKind::kAesGcm) {
    return result_of(wc_AesGcmEncrypt(key.aes(), dest, plain, static_cast<word32>(plain_bytes), nonce,
                                      static_cast<word32>(nonce_bytes), tag, kAeadTagBytes, aad,
                                      static_cast<word32>(aad_bytes)));
  }
  return result_of(wc_ChaCha20Poly1305_Encrypt(key.chacha(), nonce, aad, static_cast<word32>(aad_bytes), plain,
                                               static_cast<word32>(plain_bytes), dest, tag));
}

int ngtcp2_crypto_decrypt(uint8_t* dest, const ngtcp2_crypto_aead*, const ngtcp2_crypto_aead_ctx* ctx,
                          const uint8_t* sealed, size_t sealed_bytes, const uint8_t* nonce, size_t nonce_bytes,
                          const uint8_t* aad, size_t aad_bytes) {
  if (sealed_bytes < kAeadTagBytes) return -1;
  Key& key = key_of(ctx->native_handle);
  const auto plain_bytes = static_cast<word32>(sealed_bytes - kAeadTagBytes);
  const uint8_t* tag = sealed + plain_bytes;
  if (key.kind() == AeadKind::kAesGcm) {
    return result_of(wc_AesGcmDecrypt(key.aes(), dest, sealed, plain_bytes, nonce, static_cast<word32>(nonce_bytes),
                                      tag, kAeadTagBytes, aad, static_cast<word32>(aad_bytes)));
  }
  return result_of(wc_ChaCha20Poly1305_Decrypt(key.chacha(), nonce, aad, static_cast<word32>(aad_bytes), sealed,
                                               plain_bytes, tag, dest));
}

int ngtcp2_crypto_hp_mask(uint8_t* dest, const ngtcp2_crypto_cipher*, const ngtcp2_crypto_cipher_ctx* ctx,
                          const uint8_t* sample) {
  Key& key = key_of(ctx->native_handle);
  if (key.kind() == AeadKind::kChaCha20Poly1305) return chacha_mask(dest, key.chacha(), sample);
  uint8_t block[AES_BLOCK_SIZE];
  if (wc_AesEncryptDirect(key.aes(), block, sample) != 0) return -1;
  std::copy_n(block, 5, dest);
  return 0;
}

int ngtcp2_crypto_hkdf_extract(uint8_t* dest, const ngtcp2_crypto_md* md, const uint8_t* secret, size_t secret_bytes,
                               const uint8_t* salt, size_t salt_bytes) {
  return result_of(wc_HKDF_Extract(suite_of(md->native_handle).digest, salt, static_cast<word32>(salt_bytes), secret,
                                   static_cast<word32>(secret_bytes), dest));
}

int ngtcp2_crypto_hkdf_expand(uint8_t* dest, size_t dest_bytes, const ngtcp2_crypto_md* md, const uint8_t* secret,
                              size_t secret_bytes, const uint8_t* info, size_t info_bytes) {
  return result_of(wc_HKDF_Expand(suite_of(md->native_handle).digest, secret, static_cast<word32>(secret_bytes), info,
                                  static_cast<word32>(info_bytes), dest, static_cast<word32>(dest_bytes)));
}

int ngtcp2_crypto_hkdf(uint8_t* dest, size_t dest_bytes, const ngtcp2_crypto_md* md, const uint8_t* secret,
                       size_t secret_bytes, const uint8_t* salt, size_t salt_bytes, const uint8_t* info,
                       size_t info_bytes) {
  return result_of(wc_HKDF(suite_of(md->native_handle).digest, secret, static_cast<word32>(secret_bytes), salt,
                           static_cast<word32>(salt_bytes), info, static_cast<word32>(info_bytes), dest,
                           static_cast<word32>(dest_bytes)));
}

}  // extern "C"

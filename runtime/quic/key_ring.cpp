#include "quic/key_ring.h"

#include <string.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/hex.h"
#include "quic/wolfssl_api.h"

#include <wolfssl/wolfcrypt/aes.h>

namespace godwit::quic {
namespace {

// sealed = generation (4 bytes, as the machine has them) · nonce · ciphertext · tag. The nonce is random: under one key
// 2^32 tokens are fine (NIST SP 800-38D, section 8.3), and a key lives for a day.
constexpr size_t kGenerationBytes = 4;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

/// An expanded key, wiped when it goes.
class Cipher {
 public:
  explicit Cipher(Bytes key) {
    GW_CHECK(wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0);
    GW_CHECK(wc_AesGcmSetKey(&aes_, key.data(), static_cast<word32>(key.size())) == 0);
  }
  ~Cipher() {
    wc_AesFree(&aes_);
    explicit_bzero(&aes_, sizeof aes_);
  }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  void encrypt(Bytes plain, Bytes nonce, Bytes about, uint8_t* out) {
    GW_CHECK(wc_AesGcmEncrypt(&aes_, out, plain.data(), static_cast<word32>(plain.size()), nonce.data(), kNonceBytes,
                              out + plain.size(), kTagBytes, about.data(), static_cast<word32>(about.size())) == 0);
  }
  bool decrypt(Bytes sealed, Bytes nonce, Bytes about, uint8_t* out) {
    const size_t bytes = sealed.size() - kTagBytes;
    return wc_AesGcmDecrypt(&aes_, out, sealed.data(), static_cast<word32>(bytes), nonce.data(), kNonceBytes,
                            sealed.data() + bytes, kTagBytes, about.data(), static_cast<word32>(about.size())) == 0;
  }

 private:
  Aes aes_;
};

}  // namespace

KeyRing::KeyRing(Entropy& entropy) : entropy_(entropy) { rotate(); }

KeyRing::~KeyRing() {
  for (Key& key : keys_) explicit_bzero(key.bytes.data(), key.bytes.size());
}

void KeyRing::rotate() {
  const std::unique_lock lock(mutex_);
  keys_.push_front({keys_.empty() ? 1 : keys_.front().generation + 1, {}});
  entropy_.fill(keys_.front().bytes);
  if (keys_.size() <= kKeysMax) return;
  explicit_bzero(keys_.back().bytes.data(), keys_.back().bytes.size());
  keys_.pop_back();
}

Status KeyRing::restore(std::string_view text) {
  std::deque<Key> keys;
  const auto wrong = [] { return fail(Code::kFileUnreadable, "these are no keys"); };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    Key key{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), key.generation);
    const auto bytes = from_hex(line.substr(std::min<size_t>(line.size(), static_cast<size_t>(end - line.data()) + 1)));
    if (error != std::errc() || !bytes || bytes->size() != key.bytes.size() || keys.size() == kKeysMax) return wrong();
    std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
    keys.push_back(key);
  }
  if (keys.empty()) return wrong();
  const std::unique_lock lock(mutex_);
  for (Key& key : keys_) explicit_bzero(key.bytes.data(), key.bytes.size());
  keys_ = std::move(keys);
  return {};
}

std::string KeyRing::text() const {
  const std::shared_lock lock(mutex_);
  std::string text;
  for (const Key& key : keys_) text += std::to_string(key.generation) + ' ' + to_hex(Bytes(key.bytes)) + '\n';
  return text;
}

std::vector<uint8_t> KeyRing::seal(Bytes plain, Bytes about) {
  std::vector<uint8_t> sealed(kGenerationBytes + kNonceBytes + plain.size() + kTagBytes);
  const MutableBytes nonce = MutableBytes(sealed).subspan(kGenerationBytes, kNonceBytes);
  const std::unique_lock lock(mutex_);
  const Key& key = keys_.front();
  std::memcpy(sealed.data(), &key.generation, kGenerationBytes);
  entropy_.fill(nonce);
  Cipher(key.bytes).encrypt(plain, nonce, about, sealed.data() + kGenerationBytes + kNonceBytes);
  return sealed;
}

std::optional<std::vector<uint8_t>> KeyRing::open(Bytes sealed, Bytes about) const {
  constexpr size_t kOverhead = kGenerationBytes + kNonceBytes + kTagBytes;
  if (sealed.size() <= kOverhead) return std::nullopt;
  uint32_t generation;
  std::memcpy(&generation, sealed.data(), kGenerationBytes);
  std::vector<uint8_t> plain(sealed.size() - kOverhead);
  const std::shared_lock lock(mutex_);
  const auto key =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& one) { return one.generation == generation; });
  if (key == keys_.end()) return std::nullopt;
  const Bytes nonce = sealed.subspan(kGenerationBytes, kNonceBytes);
  if (!Cipher(key->bytes).decrypt(sealed.subspan(kGenerationBytes + kNonceBytes), nonce, about, plain.data()))
    return std::nullopt;
  return plain;
}

uint32_t KeyRing::generation() const {
  const std::shared_lock lock(mutex_);
  return keys_.front().generation;
}

}  // namespace godwit::quic

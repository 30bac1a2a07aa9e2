#include <fcntl.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "quic/endpoint.h"

namespace godwit::quic {
namespace {

/// SubjectAltName as DER: [2] "localhost", [7] 127.0.0.1, [7] ::1 (RFC 5280, section 4.2.1.6).
constexpr uint8_t kAltNames[] = {0x30, 35,                                               //
                                 0x82, 9,  'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't',  //
                                 0x87, 4,  127, 0,   0,   1,                             //
                                 0x87, 16, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 1};

constexpr int kValidDays = 365;
/// A clock that is a little slow on the other side must not refuse a certificate made just now.
constexpr int64_t kBackdatedSeconds = 3600;

class KeyPair {
 public:
  KeyPair() { wc_InitRng(&rng_), wc_ecc_init(&key_); }
  ~KeyPair() { wc_ecc_free(&key_), wc_FreeRng(&rng_); }
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;

  bool generate() { return wc_ecc_make_key_ex(&rng_, 32, &key_, ECC_SECP256R1) == 0; }
  ecc_key* key() { return &key_; }
  WC_RNG* rng() { return &rng_; }

 private:
  WC_RNG rng_;
  ecc_key key_;
};

/// A date as ASN.1 GeneralizedTime, tag and length included, the way wolfCrypt's Cert wants it.
int put_date(byte* out, time_t at) {
  std::tm calendar{};
  gmtime_r(&at, &calendar);
  char text[16];
  std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &calendar);
  out[0] = 0x18;
  out[1] = 15;
  std::memcpy(out + 2, text, 15);
  return 17;
}

Result<std::string> to_pem(const byte* der, int bytes, int type) {
  std::array<byte, 4096> pem;
  const int length = wc_DerToPem(der, static_cast<word32>(bytes), pem.data(), pem.size(), type);
  if (length <= 0) return fail(Code::kInternal, "a certificate could not be written as PEM");
  return std::string(reinterpret_cast<const char*>(pem.data()), static_cast<size_t>(length));
}

Result<std::string> make_certificate(KeyPair& pair, int64_t unix_us) {
  Cert cert;
  if (wc_InitCert(&cert) != 0) return fail(Code::kInternal, "a certificate could not be begun");
  std::strcpy(cert.subject.commonName, "localhost");
  std::strcpy(cert.subject.org, "godwit self-signed");
  cert.sigType = CTC_SHA256wECDSA;
  // Its own authority, so that clients can name the very file as the one they trust.
  cert.isCA = 1;
  const time_t now = static_cast<time_t>(unix_us / 1'000'000);
  cert.daysValid = kValidDays;
  cert.beforeDateSz = put_date(cert.beforeDate, now - kBackdatedSeconds);
  cert.afterDateSz = put_date(cert.afterDate, now + kValidDays * 24 * 3600);
  std::memcpy(cert.altNames, kAltNames, sizeof kAltNames);
  cert.altNamesSz = sizeof kAltNames;
  if (wc_SetSubjectKeyIdFromPublicKey(&cert, nullptr, pair.key()) != 0)
    return fail(Code::kInternal, "a certificate's key id could not be made");

  std::array<byte, 2048> der;
  if (wc_MakeCert(&cert, der.data(), der.size(), nullptr, pair.key(), pair.rng()) < 0)
    return fail(Code::kInternal, "a certificate could not be made");
  const int bytes = wc_SignCert(cert.bodySz, cert.sigType, der.data(), der.size(), nullptr, pair.key(), pair.rng());
  if (bytes < 0) return fail(Code::kInternal, "a certificate could not be signed");
  return to_pem(der.data(), bytes, CERT_TYPE);
}

Result<std::string> export_key(KeyPair& pair) {
  std::array<byte, 512> der;
  const int bytes = wc_EccKeyToDer(pair.key(), der.data(), der.size());
  if (bytes < 0) return fail(Code::kInternal, "a private key could not be written");
  return to_pem(der.data(), bytes, ECC_PRIVATEKEY_TYPE);
}

/// Complete or not at all, and never readable by others for a moment: written beside, then renamed.
Status write_file(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const std::string part = file.string() + ".part";
  const auto failed = [&] {
    return fail(Code::kFileUnreadable, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  };
  ::unlink(part.c_str());
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed();
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(fd) == 0;
  if (!written || !closed || ::rename(part.c_str(), file.c_str()) != 0) {
    const auto error = failed();
    ::unlink(part.c_str());
    return error;
  }
  return {};
}

}  // namespace

Status write_self_signed(const std::filesystem::path& certificate_file, const std::filesystem::path& key_file,
                         int64_t unix_us) {
  KeyPair pair;
  if (!pair.generate()) return fail(Code::kInternal, "a P-256 key could not be made");
  const Result<std::string> key = export_key(pair);
  if (!key) return tl::unexpected(key.error());
  const Result<std::string> certificate = make_certificate(pair, unix_us);
  if (!certificate) return tl::unexpected(certificate.error());
  if (Status ok = write_file(key_file, *key, 0600); !ok) return ok;
  return write_file(certificate_file, *certificate, 0644);
}

}  // namespace godwit::quic

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

#include "certificates.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <ctime>
#include <fstream>

namespace godwit::quic::test {
namespace {

struct Key {
  Key() {
    REQUIRE(wc_InitRng(&rng) == 0);
    REQUIRE(wc_ecc_init(&ecc) == 0);
    REQUIRE(wc_ecc_make_key_ex(&rng, 32, &ecc, ECC_SECP256R1) == 0);
  }
  ~Key() {
    wc_ecc_free(&ecc);
    wc_FreeRng(&rng);
  }
  WC_RNG rng;
  ecc_key ecc;
};

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

void write_pem(const std::filesystem::path& file, const byte* der, int bytes, int type) {
  byte pem[4096];
  const int length = wc_DerToPem(der, static_cast<word32>(bytes), pem, sizeof pem, type);
  REQUIRE(length > 0);
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(pem), length);
}

void prepare(Cert& cert, std::string_view name, int64_t from_s, int64_t to_s) {
  REQUIRE(wc_InitCert(&cert) == 0);
  std::strncpy(cert.subject.commonName, std::string(name).c_str(), CTC_NAME_SIZE - 1);
  cert.sigType = CTC_SHA256wECDSA;
  cert.beforeDateSz = put_date(cert.beforeDate, std::time(nullptr) + from_s);
  cert.afterDateSz = put_date(cert.afterDate, std::time(nullptr) + to_s);
}

void set_dns(Cert& cert, const std::vector<std::string>& names) {
  std::vector<uint8_t> list;
  for (const std::string& name : names) {
    list.push_back(0x82);
    list.push_back(static_cast<uint8_t>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  REQUIRE(list.size() < 128);
  cert.altNames[0] = 0x30;
  cert.altNames[1] = static_cast<byte>(list.size());
  std::memcpy(cert.altNames + 2, list.data(), list.size());
  cert.altNamesSz = static_cast<int>(list.size()) + 2;
}

}  // namespace

int64_t real_unix_us() { return static_cast<int64_t>(std::time(nullptr)) * 1'000'000; }

struct Authority::Keys {
  Key key;
  byte der[2048];
  int bytes = 0;
};

Authority::Authority(const ScratchDir& dir, std::string_view name)
    : dir_(dir), file_(dir / (std::string(name) + ".pem")), keys_(std::make_unique<Keys>()) {
  Cert cert;
  prepare(cert, name, -kDay, 10 * kDay);
  cert.isCA = 1;
  REQUIRE(wc_MakeCert(&cert, keys_->der, sizeof keys_->der, nullptr, &keys_->key.ecc, &keys_->key.rng) > 0);
  keys_->bytes =
      wc_SignCert(cert.bodySz, cert.sigType, keys_->der, sizeof keys_->der, nullptr, &keys_->key.ecc, &keys_->key.rng);
  REQUIRE(keys_->bytes > 0);
  write_pem(file_, keys_->der, keys_->bytes, CERT_TYPE);
}

Authority::~Authority() = default;

Identity Authority::issue(std::string_view file_name, const Wish& wish) {
  Key key;
  Cert cert;
  prepare(cert, wish.common_name, wish.not_before_s, wish.not_after_s);
  cert.selfSigned = 0;
  set_dns(cert, wish.dns);
  REQUIRE(wc_SetIssuerBuffer(&cert, keys_->der, keys_->bytes) == 0);
  byte der[2048];
  REQUIRE(wc_MakeCert(&cert, der, sizeof der, nullptr, &key.ecc, &key.rng) > 0);
  const int bytes = wc_SignCert(cert.bodySz, cert.sigType, der, sizeof der, nullptr, &keys_->key.ecc, &keys_->key.rng);
  REQUIRE(bytes > 0);
  const Identity out{dir_ / (std::string(file_name) + ".pem"), dir_ / (std::string(file_name) + ".key")};
  write_pem(out.certificate, der, bytes, CERT_TYPE);
  byte key_der[512];
  const int key_bytes = wc_EccKeyToDer(&key.ecc, key_der, sizeof key_der);
  REQUIRE(key_bytes > 0);
  write_pem(out.key, key_der, key_bytes, ECC_PRIVATEKEY_TYPE);
  return out;
}

}  // namespace godwit::quic::test

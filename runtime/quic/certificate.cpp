#include "quic/certificate.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstring>
#include <ctime>
#include <fstream>
#include <vector>

#include "base/bytes.h"

namespace godwit::quic {
namespace {

constexpr uintmax_t kPemBytesMax = 1 << 20;
constexpr std::string_view kEndMark = "-----END CERTIFICATE-----";

struct FreeDer {
  void operator()(DerBuffer* der) const { wc_FreeDer(&der); }
};
using Der = std::unique_ptr<DerBuffer, FreeDer>;

class ParsedCertificate {
 public:
  explicit ParsedCertificate(const DerBuffer& der) {
    wc_InitDecodedCert(&parsed_, der.buffer, der.length, nullptr);
    readable_ = wc_ParseCert(&parsed_, CERT_TYPE, NO_VERIFY, nullptr) == 0;
  }
  ~ParsedCertificate() { wc_FreeDecodedCert(&parsed_); }
  ParsedCertificate(const ParsedCertificate&) = delete;
  ParsedCertificate& operator=(const ParsedCertificate&) = delete;

  bool readable() const { return readable_; }
  time_t not_before() const { return time_of(parsed_.beforeDate, parsed_.beforeDateLen); }
  time_t not_after() const { return time_of(parsed_.afterDate, parsed_.afterDateLen); }
  bool issued_by(const ParsedCertificate& issuer) const {
    return std::memcmp(parsed_.issuerHash, issuer.parsed_.subjectHash, KEYID_SIZE) == 0;
  }

 private:
  static time_t time_of(const byte* date, int bytes) {
    const byte* digits = nullptr;
    byte format = 0;
    int length = 0;
    std::tm calendar{};
    if (wc_GetDateInfo(date, bytes, &digits, &format, &length) != 0) return 0;
    if (wc_GetDateAsCalendarTime(digits, length, format, &calendar) != 0) return 0;
    return timegm(&calendar);
  }

  DecodedCert parsed_;
  bool readable_;
};

Status check_dates(const ParsedCertificate& certificate, const std::filesystem::path& file, int64_t unix_us) {
  const time_t now = static_cast<time_t>(unix_us / 1'000'000);
  if (now < certificate.not_before())
    return fail(Code::kCertificateInvalid,
                fmt::format("{}: not valid before {:%F %T} UTC", file.string(), fmt::gmtime(certificate.not_before())));
  if (now > certificate.not_after())
    return fail(Code::kCertificateInvalid,
                fmt::format("{}: expired at {:%F %T} UTC", file.string(), fmt::gmtime(certificate.not_after())));
  return {};
}

}  // namespace

Result<std::string> read_pem(const std::filesystem::path& file) {
  std::error_code error;
  // A device or a pipe holds no PEM, and a pipe would make its reader wait.
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) return std::string();
  const uintmax_t bytes = std::filesystem::file_size(file, error);
  if (error) return fail(Code::kFileUnreadable, fmt::format("{}: {}", file.string(), error.message()));
  if (bytes > kPemBytesMax) return fail(Code::kFileUnreadable, fmt::format("{}: larger than 1 MiB", file.string()));
  std::string text(bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(text.data(), static_cast<std::streamsize>(bytes)))
    return fail(Code::kFileUnreadable, fmt::format("{}: cannot be read", file.string()));
  return text;
}

Status check_chain(const std::string& pem, const std::filesystem::path& file, int64_t unix_us) {
  std::vector<Der> ders;
  std::vector<std::unique_ptr<ParsedCertificate>> chain;
  for (size_t at = 0; pem.find(kEndMark, at) != std::string::npos; at = pem.find(kEndMark, at) + kEndMark.size()) {
    DerBuffer* der = nullptr;
    const Bytes rest = as_bytes(std::string_view(pem).substr(at));
    const int result =
        wc_PemToDer(rest.data(), static_cast<long>(rest.size()), CERT_TYPE, &der, nullptr, nullptr, nullptr);
    ders.emplace_back(der);
    if (result == 0 && der) chain.push_back(std::make_unique<ParsedCertificate>(*der));
    if (result != 0 || !der || !chain.back()->readable())
      return fail(Code::kCertificateInvalid,
                  fmt::format("{}: certificate {} cannot be read", file.string(), chain.size() + (der ? 0 : 1)));
  }
  if (chain.empty())
    return fail(Code::kCertificateInvalid, fmt::format("{}: no certificate in PEM form", file.string()));
  for (size_t i = 0; i < chain.size(); ++i) {
    if (unix_us != 0) {
      if (Status ok = check_dates(*chain[i], file, unix_us); !ok) return ok;
    }
    if (i + 1 < chain.size() && !chain[i]->issued_by(*chain[i + 1]))
      return fail(Code::kCertificateInvalid,
                  fmt::format("{}: certificate {} is not issued by the one after it; the order is leaf first",
                              file.string(), i + 1));
  }
  return {};
}

}  // namespace godwit::quic

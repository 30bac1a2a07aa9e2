#include "app/certificates.h"

#include <system_error>

namespace godwit::app {
namespace {

Result<std::shared_ptr<quic::TlsServer>> load_self_signed(quic::TlsServerConfig tls,
                                                          const std::filesystem::path& data_dir, int64_t unix_us,
                                                          const Log& log) {
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  if (error) return fail(Code::kFileUnreadable, "server.data_dir " + data_dir.string() + ": " + error.message());
  tls.certificate_file = data_dir / "dev-certificate.pem";
  tls.key_file = data_dir / "dev-key.pem";
  if (auto loaded = quic::load_tls_server(tls, unix_us)) return loaded;
  if (Status written = quic::write_self_signed(tls.certificate_file, tls.key_file, unix_us); !written) {
    return tl::unexpected(std::move(written.error()));
  }
  log.info("self-signed certificate made", {{"file", tls.certificate_file.string()}});
  return quic::load_tls_server(tls, unix_us);
}

}  // namespace

Result<std::shared_ptr<quic::TlsServer>> load_server_tls(const Config& config, MissingCertificate missing,
                                                         Sealer& tickets, int64_t unix_us, const Log& log) {
  quic::TlsServerConfig tls{
      .certificate_file = config.tls.certificate,
      .key_file = config.tls.key,
      .client_ca_file = config.tls.client_ca,
      .client_auth = config.tls.client_auth,
      .ticket_sealer = config.tls.tickets ? &tickets : nullptr,
  };
  if (!tls.certificate_file.empty()) return quic::load_tls_server(tls, unix_us);
  if (missing == MissingCertificate::kMake) {
    return load_self_signed(std::move(tls), config.server.data_dir, unix_us, log);
  }
  return fail(Code::kCertificateInvalid, "tls.certificate is not set; `godwit serve --dev` makes one for development");
}

}  // namespace godwit::app

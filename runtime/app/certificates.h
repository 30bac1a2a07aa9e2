#pragma once

#include <memory>

#include "app/config/config.h"
#include "base/log.h"
#include "quic/endpoint.h"

namespace godwit::app {

enum class MissingCertificate : bool { kRefuse, kMake };

/// Loads and checks the server's certificate. Where none is configured, `kMake` (serve --dev) keeps a self-signed one
/// in server.data_dir, made when there is none or when it has expired.
Result<std::shared_ptr<quic::TlsServer>> load_server_tls(const Config& config, MissingCertificate missing,
                                                         int64_t unix_us, const Log& log);

}  // namespace godwit::app

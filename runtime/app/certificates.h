#pragma once

#include <memory>

#include "app/config/config.h"
#include "base/log.h"
#include "port/sealer.h"
#include "quic/endpoint.h"

namespace godwit::app {

enum class MissingCertificate : bool { kRefuse, kMake };

/// Loads and checks the server's certificate. Where none is configured, `kMake` (serve --dev) keeps a self-signed one
/// in server.data_dir, made when there is none or when it has expired. `tickets` seals what shortens the next handshake
/// of a client, where the configuration wants that.
Result<std::shared_ptr<quic::TlsServer>> load_server_tls(const Config& config, MissingCertificate missing,
                                                         Sealer& tickets, int64_t unix_us, const Log& log);

}  // namespace godwit::app

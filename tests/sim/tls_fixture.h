#pragma once

#include <memory>

#include "quic/endpoint.h"

namespace godwit::sim {

/// A certificate and what both sides load of it: made once, used by every world.
struct TlsFixture {
  /// Writes its files into a folder of its own below the system's temporary one, and removes them again.
  static Result<TlsFixture> make(int64_t unix_us);

  std::shared_ptr<quic::TlsServer> server;
  std::shared_ptr<quic::TlsClient> client;
};

}  // namespace godwit::sim

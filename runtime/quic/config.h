#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/time.h"

namespace godwit {
class Sealer;
}

namespace godwit::quic {

enum class CongestionControl : uint8_t { kCubic, kBbr };

/// What the transport may use per connection. Applies to connections made after it was set.
struct TransportConfig {
  Duration idle_timeout = 60s;       ///< row 3: longer than the 45 s in which a dead peer is noticed
  Duration handshake_timeout = 5s;   ///< Initial to confirmed handshake
  uint64_t max_streams_bidi = 1000;  ///< peer-opened streams at one time
  uint64_t max_streams_uni = 100;
  uint64_t stream_window_bytes = 512 * 1024;
  uint64_t stream_window_bytes_max = 6 * 1024 * 1024;  ///< auto-tuning limit; 0 = no tuning
  /// Of a peer's unidirectional streams but the first, which is its shared lane: what may arrive before its owner knows
  /// what it is. More than the largest head.
  uint64_t new_stream_window_bytes = 128 * 1024;
  uint64_t connection_window_bytes = 1024 * 1024;
  uint64_t connection_window_bytes_max = 15 * 1024 * 1024;
  CongestionControl congestion_control = CongestionControl::kCubic;
  uint64_t max_udp_payload_bytes = 1452;  ///< 1200 … 65527; packets are never longer
  bool pmtud = true;                      ///< probe for larger packets up to max_udp_payload_bytes
  uint64_t max_datagram_frame_bytes = 65535;
  Duration keep_alive = 0s;        ///< 0 = never send PINGs by itself
  bool version2 = true;            ///< agree on QUIC v2 when both sides know it; ngtcp2 0.12 has its draft number
  std::filesystem::path qlog_dir;  ///< empty = off
  uint64_t qlog_bytes_max = 16 * 1024 * 1024;  ///< per connection; writing stops there
};

/// Server-side defence; counts are per endpoint, that is per worker.
struct AdmissionConfig {
  uint64_t connections_max = 100'000;
  uint64_t half_open_max = 4096;            ///< handshakes at one time; above: refused
  uint64_t half_open_retry = 1000;          ///< from here on Retry proves the address first
  uint64_t half_open_per_prefix_max = 512;  ///< per /24 or /56, loopback exempt
  Duration retry_token_lifetime = 10s;
  uint64_t stateless_resets_per_s = 100;
  uint64_t version_negotiations_per_s = 1000;
};

struct TlsServerConfig {
  std::filesystem::path certificate_file;  ///< PEM chain, leaf first
  std::filesystem::path key_file;          ///< PEM
  std::filesystem::path client_ca_file;    ///< empty = client certificates are not asked for
  enum class ClientAuth : uint8_t { kNone, kRequest, kRequire } client_auth = ClientAuth::kNone;
  std::vector<std::string> alpn = {"godwit/1"};
  /// Of tickets, which shorten the next handshake of a client; null = none are given. Who asks for client certificates
  /// gives none either: each connection proves anew who it is.
  Sealer* ticket_sealer = nullptr;
};

struct TlsClientConfig {
  bool verify = true;                      ///< false only by the explicit --insecure
  std::filesystem::path ca_file;           ///< empty = the system's roots
  std::filesystem::path certificate_file;  ///< own certificate for mutual TLS; empty = none
  std::filesystem::path key_file;
  std::vector<std::string> alpn = {"godwit/1"};
};

}  // namespace godwit::quic

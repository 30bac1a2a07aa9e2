#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "quic/connection.h"

struct WOLFSSL;
struct WOLFSSL_CTX;
struct ngtcp2_conn;

namespace godwit::quic {

class TlsServer;
class TlsClient;
class TicketStore;

/// TLS alerts that mean something to us (RFC 8446, section 6).
enum class TlsAlert : uint8_t {
  kUnexpectedMessage = 10,
  kHandshakeFailure = 40,
  kBadCertificate = 42,
  kUnsupportedCertificate = 43,
  kCertificateRevoked = 44,
  kCertificateExpired = 45,
  kCertificateUnknown = 46,
  kUnknownCa = 48,
  kInternalError = 80,
  kCertificateRequired = 116,
  kNoApplicationProtocol = 120,
};

/// The TLS handshake of one connection: the native handle that ngtcp2 and its crypto helper pass around. After the
/// handshake only what it found out is kept; wolfSSL's state is given back.
class TlsSession {
 public:
  /// Null without memory.
  /// The server's settings live as long as the session, whatever replaces them meanwhile.
  static std::unique_ptr<TlsSession> accept(std::shared_ptr<const TlsServer> server);
  static std::unique_ptr<TlsSession> connect(const TlsClient& client, const std::string& server_name);

  /// Makes wolfSSL hand its keys and records to the session of the connection.
  static bool install_callbacks(WOLFSSL_CTX* context);

  void attach(ngtcp2_conn& connection) { connection_ = &connection; }

  ngtcp2_conn& connection() const { return *connection_; }
  WOLFSSL* raw() const { return tls_.get(); }

  /// Takes bytes of CRYPTO frames and goes on with the handshake; false = it failed, see `alert` and `failure`.
  bool advance(int wolfssl_level, Bytes bytes);

  bool completed() const { return completed_; }
  /// Empty while none is agreed.
  std::string_view alpn() const { return alpn_; }
  const std::string& peer_name() const { return peer_name_; }
  /// It was begun with a ticket, and the server took it.
  bool resumed() const { return resumed_; }

  /// The first alert wins: what follows is wolfSSL unwinding.
  void raise(uint8_t alert);
  uint8_t alert() const { return alert_; }
  /// What went wrong on our side of the handshake.
  const Error& failure() const { return failure_; }

  /// On a server: a client that agreed on no protocol is refused before the first key of the handshake exists.
  bool protocol_agreed();

  /// Gives wolfSSL's memory back; for after the handshake. A client waits for its ticket first.
  void shed();

 private:
  struct Free {
    void operator()(WOLFSSL* tls) const;
  };
  TlsSession(WOLFSSL_CTX* context, Role role, bool learns_peer_name);

  void use_ticket();
  bool after_handshake();

  bool configure(const std::string& alpn_list);
  bool expect_server(const std::string& server_name);
  bool handshake();
  bool fail_handshake(int result);
  void learn_peer_name();

  std::shared_ptr<const TlsServer> server_;  // before what asks it for tickets
  std::unique_ptr<WOLFSSL, Free> tls_;
  ngtcp2_conn* connection_ = nullptr;
  Role role_;
  bool learns_peer_name_;
  bool completed_ = false;
  bool resumed_ = false;
  TicketStore* tickets_ = nullptr;  ///< of a client; null: it waits for none (any more)
  std::string server_name_;         ///< … by which it finds its ticket
  uint8_t alert_ = 0;
  std::string alpn_;
  std::string peer_name_;
  Error failure_{Code::kHandshakeFailed, {}};
};

}  // namespace godwit::quic

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "quic/config.h"
#include "quic/endpoint.h"
#include "quic/ticket_seal.h"
#include "quic/ticket_store.h"

struct WOLFSSL_CTX;

namespace godwit::quic {

/// What both sides share: TLS 1.3 only, no session cache, our order of suites, and keys of its own for each
/// connection. Read-only once loaded, so that all workers may use one.
class TlsContext {
 public:
  static Result<TlsContext> make(Role role, std::vector<std::string> alpn);

  WOLFSSL_CTX* raw() const { return context_.get(); }
  /// The protocols as wolfSSL takes them: "a,b".
  const std::string& alpn_list() const { return alpn_list_; }

  /// Loads a chain with its key and checks them against each other and the clock (`unix_us`; 0 = do not look at dates).
  Status use_certificate(const std::filesystem::path& chain, const std::filesystem::path& key, int64_t unix_us);
  Status trust(const std::filesystem::path& ca_file);
  Status trust_system();
  /// To clients that ask; bound to the protocols and to the certificate that is in use.
  Status give_tickets(Sealer& sealer);

 private:
  struct Free {
    void operator()(WOLFSSL_CTX* context) const;
  };
  std::unique_ptr<TicketSeal> tickets_;  // before the context, which asks it
  std::unique_ptr<WOLFSSL_CTX, Free> context_;
  std::string alpn_list_;
  std::string certificate_digest_;
};

class TlsServer {
 public:
  explicit TlsServer(TlsContext context, bool asks_for_certificate)
      : context_(std::move(context)), asks_for_certificate_(asks_for_certificate) {}

  const TlsContext& context() const { return context_; }
  bool asks_for_certificate() const { return asks_for_certificate_; }

 private:
  TlsContext context_;
  bool asks_for_certificate_;
};

class TlsClient {
 public:
  explicit TlsClient(TlsContext context, bool verify) : context_(std::move(context)), verify_(verify) {}

  const TlsContext& context() const { return context_; }
  bool verify() const { return verify_; }
  TicketStore& tickets() const { return *tickets_; }

 private:
  TlsContext context_;
  bool verify_;
  std::unique_ptr<TicketStore> tickets_ = std::make_unique<TicketStore>();
};

}  // namespace godwit::quic

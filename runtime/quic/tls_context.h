#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "quic/config.h"
#include "quic/endpoint.h"

struct WOLFSSL_CTX;

namespace godwit::quic {

/// What both sides share: TLS 1.3 only, no tickets, no session cache, our order of suites. Read-only once loaded, so
/// that all workers may use one.
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

 private:
  struct Free {
    void operator()(WOLFSSL_CTX* context) const;
  };
  std::unique_ptr<WOLFSSL_CTX, Free> context_;
  std::string alpn_list_;
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

 private:
  TlsContext context_;
  bool verify_;
};

}  // namespace godwit::quic

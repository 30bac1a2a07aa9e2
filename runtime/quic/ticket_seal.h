#pragma once

#include <string>

#include "base/result.h"
#include "port/sealer.h"

struct WOLFSSL;
struct WOLFSSL_CTX;

namespace godwit::quic {

/// Lets a server's clients begin their next handshake with a ticket (RFC 8446, section 2.2), for as long as the keys
/// that sealed it are kept. A ticket is good for the server name, the protocols and the certificate that it was given
/// under, and the handshake still makes keys of its own. It carries no early data.
class TicketSeal {
 public:
  /// `about`: what else a ticket is bound to.
  TicketSeal(Sealer& sealer, std::string about) : sealer_(sealer), about_(std::move(about)) {}

  /// The context must not outlive this.
  Status serve(WOLFSSL_CTX* context);

 private:
  struct Ticket;
  static int on_ticket(WOLFSSL* tls, unsigned char* name, unsigned char* iv, unsigned char* mac, int sealing,
                       unsigned char* ticket, int bytes, int* bytes_out, void* self);
  int seal(const Ticket& ticket, Bytes about) const;
  int open(const Ticket& ticket, Bytes about) const;
  std::string about(WOLFSSL* tls) const;

  Sealer& sealer_;
  const std::string about_;
};

}  // namespace godwit::quic

#include "quic/ticket_seal.h"

#include <cstring>

#include "quic/wolfssl_api.h"

namespace godwit::quic {
namespace {

/// Clients need not try with older ones: of three keys that change every day the oldest is two days old at least.
constexpr int kLifetimeS = 48 * 3600;

/// wolfSSL takes a name, a nonce and a tag apart from the ticket, which must not be zero. Ours are all in the ticket.
constexpr int kElsewhere = 1;

/// wolfSSL keeps the name that a client asks for where it is to answer to one; this one answers to all.
bool keep_server_names(WOLFSSL_CTX* context) {
  constexpr std::string_view kAny = "any";
  constexpr unsigned char kWhatever = WOLFSSL_SNI_CONTINUE_ON_MISMATCH | WOLFSSL_SNI_ANSWER_ON_MISMATCH;
  if (wolfSSL_CTX_UseSNI(context, WOLFSSL_SNI_HOST_NAME, kAny.data(), kAny.size()) != WOLFSSL_SUCCESS) return false;
  wolfSSL_CTX_SNI_SetOptions(context, WOLFSSL_SNI_HOST_NAME, kWhatever);
  return true;
}

}  // namespace

/// Where wolfSSL has a ticket, and room for one that is sealed.
struct TicketSeal::Ticket {
  uint8_t* bytes;
  size_t size;
  int* size_out;  ///< while sealing: how much room there is
};

Status TicketSeal::serve(WOLFSSL_CTX* context) {
  const bool ok = keep_server_names(context) && wolfSSL_CTX_set_TicketEncCb(context, on_ticket) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_TicketEncCtx(context, this) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_TicketHint(context, kLifetimeS) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_timeout(context, kLifetimeS) >= 0 &&
                  wolfSSL_CTX_set_num_tickets(context, 1) == WOLFSSL_SUCCESS &&
                  wolfSSL_CTX_set_max_early_data(context, 0) == WOLFSSL_SUCCESS;
  return ok ? Status() : fail(Code::kInternal, "wolfSSL refused its settings for tickets");
}

int TicketSeal::on_ticket(WOLFSSL* tls, unsigned char* name, unsigned char* iv, unsigned char* mac, int sealing,
                          unsigned char* ticket, int bytes, int* bytes_out, void* self) {
  const auto& seal = *static_cast<const TicketSeal*>(self);
  const std::string about = seal.about(tls);
  const Ticket at{ticket, static_cast<size_t>(bytes), bytes_out};
  if (!sealing) return seal.open(at, as_bytes(about));
  std::memset(name, kElsewhere, WOLFSSL_TICKET_NAME_SZ);
  std::memset(iv, kElsewhere, WOLFSSL_TICKET_IV_SZ);
  std::memset(mac, kElsewhere, WOLFSSL_TICKET_MAC_SZ);
  return seal.seal(at, as_bytes(about));
}

int TicketSeal::seal(const Ticket& ticket, Bytes about) const {
  const std::vector<uint8_t> sealed = sealer_.seal({ticket.bytes, ticket.size}, about);
  if (sealed.size() > static_cast<size_t>(*ticket.size_out)) return WOLFSSL_TICKET_RET_FATAL;
  std::memcpy(ticket.bytes, sealed.data(), sealed.size());
  *ticket.size_out = static_cast<int>(sealed.size());
  return WOLFSSL_TICKET_RET_OK;
}

/// What cannot be opened costs its client a full handshake, and no more.
int TicketSeal::open(const Ticket& ticket, Bytes about) const {
  const auto opened = sealer_.open({ticket.bytes, ticket.size}, about);
  if (!opened) return WOLFSSL_TICKET_RET_REJECT;
  std::memcpy(ticket.bytes, opened->data(), opened->size());
  *ticket.size_out = static_cast<int>(opened->size());
  return WOLFSSL_TICKET_RET_OK;
}

std::string TicketSeal::about(WOLFSSL* tls) const {
  void* name = nullptr;
  const unsigned short bytes = wolfSSL_SNI_GetRequest(tls, WOLFSSL_SNI_HOST_NAME, &name);
  return "tls ticket " + about_ + ' ' + std::string(static_cast<const char*>(name), name ? bytes : 0);
}

}  // namespace godwit::quic

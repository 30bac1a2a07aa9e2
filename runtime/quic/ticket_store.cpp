#include "quic/ticket_store.h"

#include "quic/wolfssl_api.h"

namespace godwit::quic {

void KeptTicket::Free::operator()(WOLFSSL_SESSION* session) const { wolfSSL_SESSION_free(session); }

void TicketStore::put(const std::string& server_name, KeptTicket ticket) {
  const std::lock_guard lock(mutex_);
  if (tickets_.size() >= kServersMax && !tickets_.contains(server_name)) tickets_.erase(tickets_.begin());
  tickets_.insert_or_assign(server_name, std::move(ticket));
}

std::optional<KeptTicket> TicketStore::take(const std::string& server_name) {
  const std::lock_guard lock(mutex_);
  auto found = tickets_.extract(server_name);
  return found ? std::optional(std::move(found.mapped())) : std::nullopt;
}

}  // namespace godwit::quic

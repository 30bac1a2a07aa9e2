#include "app/ticket_table.h"

namespace godwit::app {
namespace {
constexpr uint32_t kGenerationMax = 0x7fffffff;  // the highest bit of a ticket says that it is not of this table
}

/// What is in the hands of a handler may have been executed.
TicketTable::~TicketTable() {
  for (const PendingTicket& pending : tickets_) {
    if (pending.run) pending.run->enter();
  }
}

host::Ticket TicketTable::issue(const QueuedMessage& queued) {
  uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(tickets_.size());
    tickets_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const wire::Envelope& envelope = queued.message.envelope();
  PendingTicket& pending = tickets_[slot];
  pending.used = true;
  pending.suspended = false;
  pending.holds = false;
  pending.refused = false;
  pending.unit = queued.target.unit;
  pending.kind = envelope.kind;
  pending.session = queued.session;
  pending.seq = envelope.seq;
  pending.message_id = envelope.message_id();
  pending.received = queued.received;
  pending.after_delta = envelope.after_delta;
  pending.ttl_ms = envelope.ttl_ms;
  pending.deadline_ms = envelope.deadline_ms;
  pending.hops = queued.hops;
  pending.run = queued.run;
  pending.spoken = queued.spoken;
  return {uint64_t{pending.generation} << 32 | slot};
}

PendingTicket* TicketTable::find(host::Ticket ticket) {
  const auto slot = static_cast<uint32_t>(ticket.bits);
  if (slot >= tickets_.size()) return nullptr;
  PendingTicket& pending = tickets_[slot];
  return pending.used && pending.generation == ticket.bits >> 32 ? &pending : nullptr;
}

void TicketTable::suspend(host::Ticket ticket) {
  PendingTicket& pending = tickets_[static_cast<uint32_t>(ticket.bits)];
  pending.suspended = true;
  if (wire::is_request(pending.kind)) suspended_[{pending.session.to_u64(), pending.message_id}] = ticket;
}

host::Ticket TicketTable::suspended(session::SessionId session, uint64_t message_id) const {
  const auto found = suspended_.find({session.to_u64(), message_id});
  return found == suspended_.end() ? host::Ticket() : found->second;
}

void TicketTable::release(host::Ticket ticket) {
  const auto slot = static_cast<uint32_t>(ticket.bits);
  PendingTicket& pending = tickets_[slot];
  if (pending.suspended) suspended_.erase({pending.session.to_u64(), pending.message_id});
  pending.used = false;
  pending.run.reset();
  pending.generation = pending.generation % kGenerationMax + 1;
  free_.push_back(slot);
}

}  // namespace godwit::app

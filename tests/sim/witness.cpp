#include "witness.h"

#include "payload.h"
#include "world.h"

namespace godwit::sim {

size_t Witness::Unit::handle(std::span<const host::Delivery> batch, host::ReplySink& sink) {
  struct Seen {
    std::string who;
    uint64_t id;
    uint64_t hash;
  };
  std::vector<Seen> seen;  // before they are handled: afterwards the sender may be gone
  for (const host::Delivery& delivery : batch) {
    seen.push_back({std::string(delivery.session->client_id), delivery.message_id,
                    hash_message(delivery.action, hash_bytes(delivery.body))});
  }
  const size_t taken = inner_.handler(unit_)->handle(batch, sink);
  for (const Seen& one : std::span(seen).first(taken)) {
    if (one.id == 0) {
      world_.ledger().handled_unreliable(one.who, one.hash);
    } else {
      world_.ledger().handled(one.who, one.id, one.hash);
    }
  }
  return taken;
}

host::Handler* Witness::handler(uint32_t unit) {
  if (!inner_.handler(unit)) return nullptr;
  while (units_.size() <= unit) units_.emplace_back(world_, inner_, static_cast<uint32_t>(units_.size()));
  return &units_[unit];
}

}  // namespace godwit::sim

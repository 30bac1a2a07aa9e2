#include "witness.h"

#include "payload.h"
#include "world.h"

namespace godwit::sim {

void Witness::Unit::handle(std::span<const host::Delivery> batch, host::ReplySink& sink) {
  for (const host::Delivery& delivery : batch) {
    const uint64_t hash = hash_message(delivery.action, hash_bytes(delivery.body));
    world_.ledger().handled(std::string(delivery.session->client_id), delivery.message_id, hash);
  }
  inner_.handler(unit_)->handle(batch, sink);
}

host::Handler* Witness::handler(uint32_t unit) {
  if (!inner_.handler(unit)) return nullptr;
  while (units_.size() <= unit) units_.emplace_back(world_, inner_, static_cast<uint32_t>(units_.size()));
  return &units_[unit];
}

}  // namespace godwit::sim

#include "host/session_cache.h"

namespace godwit::host {

SessionCache::Place SessionCache::place(const SessionView& session) {
  const auto index = static_cast<uint32_t>(session.id % kSlots);
  Entry& entry = entries_[index];
  const bool known = entry.version != 0 && entry.id == session.id && entry.client_id == session.client_id &&
                     entry.uid == session.uid && entry.address == session.address;
  if (!known) {
    entry.id = session.id;
    entry.client_id = session.client_id;
    entry.uid = session.uid;
    entry.address = session.address;
    entry.version += 1;
  }
  return {index + 1, entry.version};
}

}  // namespace godwit::host

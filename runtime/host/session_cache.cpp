#include "host/session_cache.h"

namespace godwit::host {

SessionCache::Place SessionCache::place(const SessionView& session) {
  const auto index = static_cast<uint32_t>(session.id % kSlots);
  Entry& entry = entries_[index];
  gw_session& plain = plain_[index];
  const bool known = plain.version != 0 && plain.id_wide == session.id && entry.client_id == session.client_id &&
                     entry.uid == session.uid && entry.address == session.address;
  if (!known) {
    entry = {std::string(session.client_id), std::string(session.uid), std::string(session.address)};
    plain.id = to_lua_id(session.id);
    plain.id_wide = session.id;
    plain.client_id = to_plain(entry.client_id);
    plain.uid = to_plain(entry.uid);
    plain.address = to_plain(entry.address);
    plain.version += 1;
  }
  return {index + 1, plain.version};
}

}  // namespace godwit::host

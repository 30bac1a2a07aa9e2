#include "session/revocations.h"

namespace godwit::session {

void Revocations::set(std::set<Entry> entries) {
  const std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
}

Status Revocations::add(Entry entry) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kEntriesMax && !entries_.contains(entry))
    return fail(Code::kLimitReached, std::to_string(kEntriesMax) + " revocations");
  entries_.insert(std::move(entry));
  return {};
}

bool Revocations::cover(const Identity& identity) const {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return false;
  return entries_.contains({What::kUid, identity.uid}) || entries_.contains({What::kClient, identity.client_id}) ||
         (!identity.credential.empty() && entries_.contains({What::kToken, identity.credential}));
}

size_t Revocations::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace godwit::session

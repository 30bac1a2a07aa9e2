#include "app/session_directory.h"

#include <algorithm>
#include <mutex>

namespace godwit::app {
namespace {

constexpr size_t kListMax = 1000;  ///< of one answer: what a caller may hold up the others for

}  // namespace

// Whoever can be found can join and have attributes: the tables know a session before the directory does, and forget it
// after.
Result<std::optional<host::SessionKey>> SessionDirectory::enter(host::SessionInfo info, const NameClaim& claim) {
  const host::SessionKey key = info.key;
  attributes_.enter(key);
  groups_.enter(key, info.worker);
  const std::unique_lock lock(mutex_);
  auto last = find_incumbent(info.client_id, info.uid, claim);
  if (last && !has_place(info.uid, claim, last->has_value()))
    last = fail(Code::kTooManyConnections, "this user has as many sessions as allowed");
  if (!last) {
    groups_.leave(key);
    attributes_.leave(key);
    return last;
  }
  if (!info.uid.empty()) by_uid_[info.uid].push_back(key);
  if (!info.client_id.empty()) by_client_.insert_or_assign(info.client_id, Holder{key, claim});
  sessions_.insert_or_assign(key, std::move(info));
  return last;
}

Result<std::optional<host::SessionKey>> SessionDirectory::incumbent(std::string_view client_id, std::string_view uid,
                                                                    const NameClaim& claim) const {
  const std::shared_lock lock(mutex_);
  return find_incumbent(client_id, uid, claim);
}

Result<std::optional<host::SessionKey>> SessionDirectory::find_incumbent(std::string_view client_id,
                                                                         std::string_view uid,
                                                                         const NameClaim& claim) const {
  const auto found = by_client_.find(client_id);
  if (found == by_client_.end()) return std::nullopt;
  const Holder& holder = found->second;
  if (claim.attempt.late_for(holder.claim.attempt))
    return fail(Code::kSuperseded, "a later connection of this client is here");
  const bool same = claim.proved || claim.attempt.same_program(holder.claim.attempt);
  if (!same || sessions_.at(holder.key).uid != uid)
    return fail(Code::kIdentityInUse, "a client of this name is here, and nothing proves that this is the same");
  return holder.key;
}

bool SessionDirectory::has_place(std::string_view uid, const NameClaim& claim, bool replaces) const {
  const auto sessions = by_uid_.find(uid);
  const size_t others = sessions == by_uid_.end() ? 0 : sessions->second.size() - replaces;
  return claim.sessions_max == 0 || others < claim.sessions_max;
}

void SessionDirectory::move(host::SessionKey key, std::string address, const session::Attempt& attempt) {
  const std::unique_lock lock(mutex_);
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return;
  found->second.address = std::move(address);
  const auto holder = by_client_.find(found->second.client_id);
  if (holder != by_client_.end() && holder->second.key == key) holder->second.claim.attempt = attempt;
}

OfflineTable::Tally SessionDirectory::leave(host::SessionKey key) {
  std::string gone;
  {
    const std::unique_lock lock(mutex_);
    const auto found = sessions_.find(key);
    if (found == sessions_.end()) return {};
    if (const auto uid = by_uid_.find(found->second.uid); uid != by_uid_.end()) {
      std::erase(uid->second, key);
      if (uid->second.empty()) {
        gone = uid->first;
        by_uid_.erase(uid);
      }
    }
    // Its name may be another session's by now.
    const auto holder = by_client_.find(found->second.client_id);
    if (holder != by_client_.end() && holder->second.key == key) by_client_.erase(holder);
    sessions_.erase(found);
  }
  groups_.leave(key);
  attributes_.leave(key);
  return offline_.leave(gone);
}

std::optional<host::SessionInfo> SessionDirectory::find(host::SessionKey key) const {
  const std::shared_lock lock(mutex_);
  const auto found = sessions_.find(key);
  return found == sessions_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<uint32_t> SessionDirectory::worker_of(host::SessionKey key) const {
  const std::shared_lock lock(mutex_);
  const auto found = sessions_.find(key);
  return found == sessions_.end() ? std::nullopt : std::optional(found->second.worker);
}

std::vector<host::SessionKey> SessionDirectory::sessions_of(std::string_view uid) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? std::vector<host::SessionKey>() : found->second;
}

std::optional<host::SessionKey> SessionDirectory::session_of(std::string_view client_id) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_client_.find(client_id);
  return found == by_client_.end() ? std::nullopt : std::optional(found->second.key);
}

std::vector<host::SessionInfo> SessionDirectory::list(const host::SessionFilter& filter) const {
  const size_t limit = std::min(filter.limit, kListMax);
  if (!filter.group.empty()) return describe(groups_.members(filter.group, filter.after, limit));
  const std::shared_lock lock(mutex_);
  std::vector<host::SessionInfo> list;
  for (auto at = sessions_.upper_bound(filter.after); at != sessions_.end() && list.size() < limit; ++at) {
    list.push_back(at->second);
  }
  return list;
}

std::vector<host::SessionInfo> SessionDirectory::describe(const std::vector<host::SessionKey>& keys) const {
  const std::shared_lock lock(mutex_);
  std::vector<host::SessionInfo> list;
  for (const host::SessionKey key : keys) {
    if (const auto found = sessions_.find(key); found != sessions_.end()) list.push_back(found->second);
  }
  return list;
}

Audience SessionDirectory::everybody(host::SessionKey except) const {
  const std::shared_lock lock(mutex_);
  Audience audience;
  for (const auto& [key, info] : sessions_) {
    if (key != except) audience.add(info.worker, key);
  }
  return audience;
}

size_t SessionDirectory::size() const {
  const std::shared_lock lock(mutex_);
  return sessions_.size();
}

}  // namespace godwit::app

#include "app/session_directory.h"

#include <algorithm>
#include <mutex>

namespace godwit::app {
namespace {

constexpr size_t kListMax = 1000;  ///< of one answer: what a caller may hold up the others for

}  // namespace

// Whoever can be found can join and have attributes: the tables know a session before the directory does, and forget it
// after.
void SessionDirectory::enter(host::SessionInfo info) {
  const host::SessionKey key = info.key;
  attributes_.enter(key);
  groups_.enter(key, info.worker);
  const std::unique_lock lock(mutex_);
  if (!info.uid.empty()) by_uid_[info.uid].push_back(key);
  sessions_.insert_or_assign(key, std::move(info));
}

void SessionDirectory::move(host::SessionKey key, std::string address) {
  const std::unique_lock lock(mutex_);
  if (const auto found = sessions_.find(key); found != sessions_.end()) found->second.address = std::move(address);
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

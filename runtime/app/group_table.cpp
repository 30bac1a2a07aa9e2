#include "app/group_table.h"

#include <algorithm>
#include <mutex>

namespace godwit::app {

void GroupTable::enter(host::SessionKey key, uint32_t worker) {
  const std::unique_lock lock(mutex_);
  sessions_.try_emplace(key, Session{worker, {}});
}

void GroupTable::leave(host::SessionKey key) {
  const std::unique_lock lock(mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return;
  for (const Groups::iterator group : session->second.groups) take_out(group, key);
  sessions_.erase(session);
}

void GroupTable::take_out(Groups::iterator group, host::SessionKey key) {
  group->second.erase(key);
  if (group->second.empty()) groups_.erase(group);
}

Status GroupTable::join(host::SessionKey key, std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return fail(Code::kMessageTooLarge, "a group's name has 1 to 256 bytes");
  }
  const std::unique_lock lock(mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return fail(Code::kStaleHandle, "the session is gone");
  std::vector<Groups::iterator>& joined = session.value().groups;
  const auto known = groups_.find(name);
  if (known != groups_.end() && known->second.contains(key)) return {};
  if (joined.size() == kGroupsPerSessionMax) return fail(Code::kStoreFull, "a session is in at most 1,000 groups");
  const auto group = known != groups_.end() ? known : groups_.emplace(std::string(name), Members{}).first;
  group->second.emplace(key, session->second.worker);
  joined.push_back(group);
  return {};
}

Status GroupTable::leave(host::SessionKey key, std::string_view name) {
  const std::unique_lock lock(mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return fail(Code::kStaleHandle, "the session is gone");
  const auto group = groups_.find(name);
  if (group == groups_.end() || !group->second.contains(key)) return {};
  std::erase(session.value().groups, group);
  take_out(group, key);
  return {};
}

std::vector<std::string> GroupTable::groups_of(host::SessionKey key) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return names;
  for (const Groups::iterator group : session->second.groups) names.push_back(group->first);
  return names;
}

size_t GroupTable::size(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto group = groups_.find(name);
  return group == groups_.end() ? 0 : group->second.size();
}

size_t GroupTable::group_count() const {
  const std::shared_lock lock(mutex_);
  return groups_.size();
}

Audience GroupTable::audience(std::string_view name, host::SessionKey except) const {
  const std::shared_lock lock(mutex_);
  Audience audience;
  const auto group = groups_.find(name);
  if (group == groups_.end()) return audience;
  for (const auto& [key, worker] : group->second) {
    if (key != except) audience.add(worker, key);
  }
  return audience;
}

std::vector<host::SessionKey> GroupTable::members(std::string_view name, host::SessionKey after, size_t limit) const {
  const std::shared_lock lock(mutex_);
  std::vector<host::SessionKey> keys;
  const auto group = groups_.find(name);
  if (group == groups_.end()) return keys;
  for (auto at = group->second.upper_bound(after); at != group->second.end() && keys.size() < limit; ++at) {
    keys.push_back(at->first);
  }
  return keys;
}

}  // namespace godwit::app

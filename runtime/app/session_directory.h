#pragma once

#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "app/attribute_table.h"
#include "app/group_table.h"
#include "app/offline_table.h"
#include "host/services.h"

namespace godwit::app {

/// Who is here: the live sessions of all workers, by key and by uid, and what is kept about them. Shared by all
/// workers; from any thread. A worker enters its sessions when it lets them in and takes them out when they end.
class SessionDirectory {
 public:
  /// `clock` is asked from any thread.
  explicit SessionDirectory(const Clock& clock, const OfflineLimits& offline = {})
      : attributes_(clock), offline_(clock, offline) {}

  void enter(host::SessionInfo info);
  /// It is reached at another address now.
  void move(host::SessionKey key, std::string address);
  /// Nothing of the session is found any more, in no group either.
  OfflineTable::Tally leave(host::SessionKey key);

  std::optional<host::SessionInfo> find(host::SessionKey key) const;
  /// Which worker it is on.
  std::optional<uint32_t> worker_of(host::SessionKey key) const;
  /// Oldest first.
  std::vector<host::SessionKey> sessions_of(std::string_view uid) const;
  std::vector<host::SessionInfo> list(const host::SessionFilter& filter) const;
  /// Everybody who is here now, except one.
  Audience everybody(host::SessionKey except) const;
  size_t size() const;

  AttributeTable& attributes() { return attributes_; }
  GroupTable& groups() { return groups_; }
  OfflineTable& offline() { return offline_; }
  const AttributeTable& attributes() const { return attributes_; }
  const GroupTable& groups() const { return groups_; }

 private:
  std::vector<host::SessionInfo> describe(const std::vector<host::SessionKey>& keys) const;

  AttributeTable attributes_;
  GroupTable groups_;
  OfflineTable offline_;
  mutable std::shared_mutex mutex_;
  std::map<host::SessionKey, host::SessionInfo> sessions_;  ///< in order, so that a cursor is a key
  std::map<std::string, std::vector<host::SessionKey>, std::less<>> by_uid_;
};

}  // namespace godwit::app

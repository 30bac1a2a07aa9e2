#pragma once

#include <tsl/robin_map.h>

#include <map>
#include <shared_mutex>
#include <vector>

#include "base/result.h"
#include "host/services.h"

namespace godwit::app {

/// Sessions of one or several workers: what a broadcast is split into.
struct Audience {
  std::vector<std::vector<host::SessionKey>> by_worker;
  size_t size() const {
    size_t sum = 0;
    for (const auto& keys : by_worker) sum += keys.size();
    return sum;
  }
  void add(uint32_t worker, host::SessionKey key) {
    if (worker >= by_worker.size()) by_worker.resize(worker + 1);
    by_worker[worker].push_back(key);
  }
};

/// Which session is in which group. From any thread: each call sees and makes a single moment, so that whoever has
/// joined before a publish gets it, and whoever has left before does not, once.
class GroupTable {
 public:
  static constexpr size_t kNameBytesMax = 256;
  static constexpr size_t kGroupsPerSessionMax = 1000;

  void enter(host::SessionKey key, uint32_t worker);
  /// Out of all groups.
  void leave(host::SessionKey key);

  // As host::Services says.
  Status join(host::SessionKey key, std::string_view group);
  Status leave(host::SessionKey key, std::string_view group);
  std::vector<std::string> groups_of(host::SessionKey key) const;
  size_t size(std::string_view group) const;

  /// Everybody who is in the group now, except one.
  Audience audience(std::string_view group, host::SessionKey except) const;
  /// In the order of their keys, beyond `after`.
  std::vector<host::SessionKey> members(std::string_view group, host::SessionKey after, size_t limit) const;

  size_t group_count() const;

 private:
  using Members = std::map<host::SessionKey, uint32_t>;  ///< with the worker; in order, so that a cursor is a key
  using Groups = std::map<std::string, Members, std::less<>>;
  struct Session {
    uint32_t worker = 0;
    std::vector<Groups::iterator> groups;
  };

  void take_out(Groups::iterator group, host::SessionKey key);

  mutable std::shared_mutex mutex_;
  Groups groups_;
  tsl::robin_map<host::SessionKey, Session> sessions_;
};

}  // namespace godwit::app

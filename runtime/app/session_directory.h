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
#include "session/identity.h"

namespace godwit::app {

/// By what right a session has the name of its client.
struct NameClaim {
  bool proved = false;        ///< its credentials say whose it is
  session::Attempt attempt;   ///< the greeting that began it, or took it up last
  uint32_t sessions_max = 0;  ///< that its uid may have; 0: any number
};

/// Who is here: the live sessions of all workers, by key, uid and client id, and what is kept about them. Shared by all
/// workers; from any thread. A worker enters its sessions when it lets them in and takes them out when they end. A
/// client id names one session at most: a newcomer gets it only with proof that it is the same client.
class SessionDirectory {
 public:
  /// `clock` is asked from any thread.
  explicit SessionDirectory(const Clock& clock, const OfflineLimits& offline = {})
      : attributes_(clock), offline_(clock, offline) {}

  /// Returns the session that had the client's name until now, which has to end. IdentityInUse where nothing proves
  /// that the newcomer is the same client, Superseded where it comes too late, TooManyConnections where its uid has as
  /// many sessions as it may; then nothing was entered.
  Result<std::optional<host::SessionKey>> enter(host::SessionInfo info, const NameClaim& claim);
  /// Who would have to end if this client came in now; the errors are those of `enter`.
  Result<std::optional<host::SessionKey>> incumbent(std::string_view client_id, std::string_view uid,
                                                    const NameClaim& claim) const;
  /// It is reached at another address now, from another greeting of its client.
  void move(host::SessionKey key, std::string address, const session::Attempt& attempt);
  /// Nothing of the session is found any more, in no group either.
  OfflineTable::Tally leave(host::SessionKey key);

  std::optional<host::SessionInfo> find(host::SessionKey key) const;
  /// Which worker it is on.
  std::optional<uint32_t> worker_of(host::SessionKey key) const;
  /// Oldest first.
  std::vector<host::SessionKey> sessions_of(std::string_view uid) const;
  /// The one that has the name of this client.
  std::optional<host::SessionKey> session_of(std::string_view client_id) const;
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
  struct Holder {
    host::SessionKey key = 0;
    NameClaim claim;
  };
  Result<std::optional<host::SessionKey>> find_incumbent(std::string_view client_id, std::string_view uid,
                                                         const NameClaim& claim) const;
  bool has_place(std::string_view uid, const NameClaim& claim, bool replaces) const;
  std::vector<host::SessionInfo> describe(const std::vector<host::SessionKey>& keys) const;

  AttributeTable attributes_;
  GroupTable groups_;
  OfflineTable offline_;
  mutable std::shared_mutex mutex_;
  std::map<host::SessionKey, host::SessionInfo> sessions_;  ///< in order, so that a cursor is a key
  std::map<std::string, std::vector<host::SessionKey>, std::less<>> by_uid_;
  std::map<std::string, Holder, std::less<>> by_client_;
};

}  // namespace godwit::app

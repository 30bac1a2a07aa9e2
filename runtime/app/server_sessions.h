#pragma once

#include <memory>
#include <vector>

#include "admin/control_target.h"
#include "app/identity_keeper.h"
#include "app/session_directory.h"
#include "app/worker.h"

namespace godwit::app {

/// What operators do with sessions: see who is there, end them, and keep somebody out. On the first worker's thread.
class ServerSessions {
 public:
  ServerSessions(SessionDirectory& directory, IdentityKeeper& identities,
                 const std::vector<std::unique_ptr<Worker>>& workers, Log log)
      : directory_(directory), identities_(identities), workers_(workers), log_(log) {}

  /// A page of those that it names, in the order of their keys.
  std::vector<admin::SessionView> list(const admin::SessionQuery& query) const;
  /// They end in good order. How many there were.
  Result<size_t> kick(const admin::SessionQuery& query);
  /// The same for whoever is named, who is not let in again. Whether that holds after a restart, too.
  Result<bool> revoke(const admin::SessionQuery& query);
  /// Ends the sessions of all who are revoked.
  void end_revoked();

 private:
  std::vector<host::SessionInfo> find(const admin::SessionQuery& query) const;

  SessionDirectory& directory_;
  IdentityKeeper& identities_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  Log log_;
};

}  // namespace godwit::app

#include "host/plugin_host.h"
#include "host/plugin_views.h"

namespace godwit::host {

/// One short function per member of the table, as in PluginThunks.
struct PluginLoginThunks {
  static gw_status status_of(PluginLogins::Outcome outcome) {
    switch (outcome) {
      case PluginLogins::Outcome::kTaken: return GW_OK;
      case PluginLogins::Outcome::kStale: return GW_ERROR_STALE;
      case PluginLogins::Outcome::kLimit: break;
    }
    return GW_ERROR_LIMIT;
  }

  static gw_status defer(const gw_host* host, gw_login login) {
    PluginHost& self = PluginHost::of(host);
    return self.entered() ? status_of(self.logins_.defer(login)) : GW_ERROR_WRONG_THREAD;
  }
  static gw_status admit(const gw_host* host, gw_login login, gw_text uid) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (!is_sound(uid) || !session::check_uid(view(uid))) return GW_ERROR_ARGUMENT_INVALID;
    return status_of(self.logins_.admit(login, view(uid), self.world_.clock.now()));
  }
  static gw_status refuse(const gw_host* host, gw_login login, gw_status status) {
    PluginHost& self = PluginHost::of(host);
    if (!self.entered()) return GW_ERROR_WRONG_THREAD;
    if (status == GW_OK) return GW_ERROR_ARGUMENT_INVALID;
    const Timestamp now = self.world_.clock.now();
    if (!self.logins_.is_open(login, now)) return GW_ERROR_STALE;
    return status_of(self.logins_.refuse(login, self.refusal_of(status), now));
  }

  static constexpr gw_logins_table kTable = {sizeof(gw_logins_table), defer, admit, refuse};
};

const gw_logins_table& plugin_logins_table() { return PluginLoginThunks::kTable; }

}  // namespace godwit::host

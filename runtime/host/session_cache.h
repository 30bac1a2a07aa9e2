#pragma once

#include <array>
#include <string>
#include <vector>

#include "host/handler.h"
#include "host/lua_bridge_types.h"

namespace godwit::host {

/// Remembers what scripts were told of recent senders, so that their Lua objects are built once and not per message. A
/// slot belongs to the session that used it last; its version tells the Lua side when to describe it anew.
class SessionCache {
 public:
  static constexpr size_t kSlots = 1024;  ///< some 200 bytes each, once used

  SessionCache() : plain_(kSlots), entries_(kSlots) {}

  struct Place {
    uint32_t slot;  ///< from 1
    uint32_t version;
  };
  Place place(const SessionView& session);

  gw_session* plain() { return plain_.data(); }

 private:
  struct Entry {
    std::string client_id;
    std::string uid;
    std::string address;
  };

  std::vector<gw_session> plain_;
  std::vector<Entry> entries_;
};

}  // namespace godwit::host

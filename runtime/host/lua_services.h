#pragma once

#include <lua.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/kv.h"
#include "host/lua_bridge.h"
#include "host/services.h"

namespace godwit::host {

/// What the prelude asks of the server: sessions, groups and the node-local store of one app. Sessions travel into Lua
/// as numbers, or as text where a number cannot hold them. Belongs to one VM and must outlive it; what was begun and
/// ends later than the VM does is dropped.
class LuaServices {
 public:
  /// Without `services` (an app that is only looked at) nobody is there; without `kv` nothing is kept.
  LuaServices(Services* services, KvStore* kv, LuaBridge& bridge, std::string space);
  LuaServices(const LuaServices&) = delete;
  LuaServices& operator=(const LuaServices&) = delete;

  /// Adds the tables `services` and `kv` to the table on top of the stack. Their functions return what they promise; or
  /// nil, code and text; those with a token start what the token is woken for.
  void add_to(lua_State* state);

 private:
  friend struct LuaServiceFunctions;

  /// Wakes the token, if its VM is still there.
  Completion wake(lua_State* state, int token_index);
  Outgoing read_message(lua_State* state, int first);
  Outgoing in_time(Outgoing request) const;
  void read_headers(lua_State* state, int index);
  void cancel_when_abandoned(lua_State* state, int token_index, RequestId request);

  Services* services_;
  KvStore* kv_;
  const std::string space_;
  LuaBridge& bridge_;
  std::shared_ptr<LuaWaits*> waits_;  ///< completions hold it weakly

  // What the function in progress owns: Lua's errors leave functions by unwinding, past no destructor.
  std::vector<wire::Header> headers_;
  Error error_;
  std::optional<Value> value_;
  std::optional<Value> expected_;
  std::vector<SessionKey> keys_;
  std::vector<SessionInfo> infos_;
  std::optional<SessionInfo> info_;
  std::vector<std::string> names_;
};

}  // namespace godwit::host

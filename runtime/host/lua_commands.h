#pragma once

#include <lua.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/app.h"

namespace godwit::host {

/// The commands of one VM: declared while its app loads, called by operators, run by the prelude in tasks. Belongs to
/// one VM and must outlive it; whoever waits for a command's end hears at this object's end that there is none.
class LuaCommands {
 public:
  using Done = std::function<void(Result<std::string>)>;

  explicit LuaCommands(std::string_view app) : app_(app) {}
  ~LuaCommands();
  LuaCommands(const LuaCommands&) = delete;
  LuaCommands& operator=(const LuaCommands&) = delete;

  /// Adds the table `commands` to the table on top of the stack:
  ///   declare(name, help, arguments) → nil | reason
  ///   take() → id, name, {arguments}
  ///   finish(id, json) or finish(id, nil, code, text)
  void add_to(lua_State* state);

  std::span<const Command> list() const { return declared_; }

  /// The call that the prelude takes next. False: there is no such command, and `done` has heard it.
  bool begin(std::string_view name, std::span<const std::string> arguments, Done done);
  /// The prelude could not take what was begun.
  void give_up(const Error& error);

 private:
  friend struct LuaCommandFunctions;
  struct Call {
    std::string name;
    std::vector<std::string> arguments;
    Done done;
  };
  const char* declare(std::string_view name, std::string_view help, std::string_view arguments);
  void finish(uint64_t id, Result<std::string> result);

  const std::string_view app_;
  std::vector<Command> declared_;
  std::map<uint64_t, Call> calls_;  ///< under way
  std::optional<uint64_t> begun_;   ///< of them: not taken yet
  uint64_t last_id_ = 0;
};

}  // namespace godwit::host

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/source.h"
#include "base/result.h"

namespace godwit::admin {

/// A script or a plugin, as an operator sees it.
struct UnitView {
  enum class Kind : uint8_t { kScript, kPlugin } kind{};
  enum class State : uint8_t { kLive, kDisabled, kFailed } state{};
  std::string name;
  uint32_t generation = 0;           ///< live; 0: none
  uint32_t previous_generation = 0;  ///< what a rollback goes to; 0: nothing
  bool on_probation = false;
  std::string complaint;         ///< why the newest files are not live; empty when they are
  std::vector<AppView> workers;  ///< while live
};

/// What a live unit is bound to.
struct BindingView {
  std::string pattern;
  std::string where;  ///< "main.lua:12"
};

/// What operators may call in a live script.
struct CommandView {
  std::string name;
  std::string help;
  std::string arguments;
};

/// What became of a change, on all workers.
struct ChangeReport {
  std::string name;
  std::string outcome;         ///< live, unchanged, refused, rolled_back, stopped, held_back
  bool succeeded = false;      ///< the unit is as it was wanted
  uint32_t generation = 0;     ///< live afterwards
  uint32_t tried = 0;          ///< the newest that was built, or tried to
  Error error{Code::kOk, {}};  ///< with file and line
  std::vector<Status> workers;
};

/// A session, as it was a moment ago.
struct SessionView {
  uint64_t key = 0;
  std::string client_id;
  std::string uid;
  std::string address;
  uint32_t worker = 0;
  int64_t connected_unix_us = 0;
};

/// Which sessions are meant.
struct SessionQuery {
  std::string by;  ///< "uid", "client" or "session"; of what was revoked also "token"; empty: all
  std::string name;
  uint64_t after = 0;  ///< of all: those beyond this key
  size_t limit = 100;
};

enum class UnitChange : uint8_t { kReload, kRollback, kEnable, kDisable };

/// What the admin plane may do to a server. One thread, the admin plane's; answers come by `done`, once, at once or
/// later on the same thread. A returned error means that `done` will not be called.
class ControlTarget {
 public:
  virtual ~ControlTarget() = default;
  virtual std::vector<UnitView> units() const = 0;
  virtual void bindings(const std::string& unit, std::function<void(std::vector<BindingView>)> done) = 0;
  virtual Status change(const std::string& unit, UnitChange change, std::function<void(ChangeReport)> done) = 0;
  /// Configuration and all units.
  virtual Status reload_all(std::function<void(std::vector<ChangeReport>)> done) = 0;

  virtual void commands(const std::string& unit, std::function<void(std::vector<CommandView>)> done) = 0;
  /// A command's result is JSON text.
  virtual Status run_command(const std::string& unit, uint32_t worker, const std::string& command,
                             const std::vector<std::string>& arguments,
                             std::function<void(Result<std::string>)> done) = 0;

  virtual std::vector<SessionView> sessions(const SessionQuery& query) const = 0;
  /// How many were told to end.
  virtual Result<size_t> kick(const SessionQuery& query) = 0;
  /// Whoever is named ends and is not let in again; whether a restart remembers it.
  virtual Result<bool> revoke(const SessionQuery& query) = 0;

  virtual bool eval_allowed() const = 0;
  virtual Status eval(const std::string& unit, uint32_t worker, const std::string& text,
                      std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace godwit::admin

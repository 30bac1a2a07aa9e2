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

  virtual bool eval_allowed() const = 0;
  virtual Status eval(const std::string& unit, uint32_t worker, const std::string& text,
                      std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace godwit::admin

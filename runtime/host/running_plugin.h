#pragma once

#include <string>
#include <string_view>

namespace godwit::host {

/// What a crash report says of the plugin that ran.
struct PluginLabel {
  std::string name;    ///< "plugin/echo@3"
  std::string record;  ///< for the list of crashes: "echo 0123456789abcdef"
};

/// While it lives, the calling thread runs a plugin's code. Nests. The one thing that is kept per thread and not passed
/// down: it answers those who cannot be told, a signal handler after a crash and a host function that was called by
/// whoever.
class RunningPlugin {
 public:
  /// `label` and `instance` outlive this object.
  RunningPlugin(const PluginLabel& label, const void* instance);
  ~RunningPlugin();
  RunningPlugin(const RunningPlugin&) = delete;
  RunningPlugin& operator=(const RunningPlugin&) = delete;

  /// The instance whose code the calling thread runs; null: none's.
  static const void* instance();
  /// The same for signal handlers: async-signal-safe.
  static const PluginLabel* label();

 private:
  const PluginLabel& label_;
  const void* const instance_;
  const RunningPlugin* const outer_;
};

/// An exception that leaves a plugin has nobody to go to: it ends the process here, while the plugin's name is known.
template <typename Function, typename... Arguments>
auto call_plugin(Function function, Arguments... arguments) noexcept {
  return function(arguments...);
}

}  // namespace godwit::host

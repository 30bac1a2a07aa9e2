#include "app/commands/flags.h"
#include "app/commands/verb.h"

namespace godwit::app {

void add_plugin(CLI::App& program, Verb& chosen) {
  CLI::App* plugin = program.add_subcommand("plugin", "Look at plugins, and change those of a running server");
  add_plugin_inspect(*plugin, chosen);
  add_plugin_control(*plugin, chosen);
  plugin->require_subcommand(1);
}

}  // namespace godwit::app

#include "app/commands/flags.h"
#include "app/commands/verb.h"

namespace godwit::app {

void add_plugin(CLI::App& program, Verb& chosen) {
  CLI::App* plugin = program.add_subcommand("plugin", "Look at plugins, and change those of a running server");
  add_plugin_inspect(*plugin, chosen);
  add_plugin_control(*plugin, chosen);
  plugin->require_subcommand(1);
  plugin->footer(
      "Exit code: 0 done, 1 the server refused (nothing has changed then), 2 usage or not a plugin, 3 no server.\n"
      "Examples:\n  godwit plugin inspect build/plugins/echo.so\n  godwit plugin reload echo --json");
}

}  // namespace godwit::app

#include "app/commands/flags.h"
#include "app/commands/verb.h"

namespace godwit::app {

void add_new(CLI::App& program, Verb& chosen) {
  CLI::App* verb = program.add_subcommand("new", "Begin something of your own, with its test");
  add_new_app(*verb, chosen);
  add_new_plugin(*verb, chosen);
  add_new_stubs(*verb, chosen);
  verb->require_subcommand(1);
}

}  // namespace godwit::app

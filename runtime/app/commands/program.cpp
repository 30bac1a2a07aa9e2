#include "app/commands/program.h"

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/version.h"

namespace godwit::app {
namespace {

// What was asked for by name of a verb is explained by the help of that verb.
std::string help_command(const CLI::App& program) {
  std::string command = "godwit";
  for (const CLI::App* at = &program; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return command + " --help";
}

int refuse(const CLI::App& program, const CLI::ParseError& error) {
  print_error({Code::kUsageInvalid, std::string(error.what()) + "; see: " + help_command(program)});
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App program("godwit, a QUIC messaging runtime whose handlers are scripts that change while it runs", "godwit");
  Verb chosen;
  for (const auto add : {add_serve, add_check, add_request, add_send, add_listen, add_bench, add_script, add_plugin,
                         add_reload, add_config, add_new, add_test, add_lint, add_errors, add_version})
    add(program, chosen);
  program.set_version_flag("--version", "godwit " + std::string(kVersion));
  program.require_subcommand(1);
  program.footer(
      "Start here:\n"
      "  godwit serve --dev -c conf/dev.toml                          a server for trying out\n"
      "  godwit request 127.0.0.1:8453 echo --body hello --insecure   ask it something, in a second terminal\n"
      "Exit code: 0 ok, 1 the peer answered failure, 2 usage or configuration, 3 no connection or no answer in time,\n"
      "130 interrupted by Ctrl-C.\n"
      "`godwit VERB --help` has the flags and examples of a verb.");
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return refuse(program, error);
  }
  return static_cast<int>(chosen());
}

}  // namespace godwit::app

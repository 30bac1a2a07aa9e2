#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/talk.h"
#include "app/commands/verb.h"

namespace godwit::app {
namespace {

ExitCode run(ConnectOptions& options) {
  if (Status complete = options.complete(); !complete) {
    print_error(complete.error());
    return exit_code_of(complete.error().code);
  }
  auto console = Console::open("godwit> ");
  if (!console) {
    print_error(console.error());
    return exit_code_of(console.error().code);
  }
  return Talk(**console, options).run();
}

}  // namespace

void add_connect(CLI::App& program, Verb& chosen) {
  const auto options = std::make_shared<ConnectOptions>();
  CLI::App* verb = program.add_subcommand("connect", "Talk with a server, line by line");
  options->add_to(*verb, "for connecting, and for each answer");
  verb->footer(
      "Each line is an action and its body; /help says what else there is. What the server sends is shown as it "
      "comes,\n"
      "and acknowledged. A lost connection is made again, with its session.\n"
      "Examples:\n"
      "  godwit connect 127.0.0.1:8453 --insecure\n"
      "  printf 'hello ada\\ncalc 6 * 7\\n' | godwit connect server:8453 --ca ca.pem\n"
      "Exit code: 0 the end of the input, 1 the same, and a line of a script failed, 2 usage, 3 never connected,\n"
      "130 Ctrl-C.");
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace godwit::app

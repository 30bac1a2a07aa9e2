#include "app/commands/check.h"
#include "app/commands/flags.h"
#include "app/commands/serve.h"
#include "app/commands/verb.h"

namespace godwit::app {
namespace {

template <typename Options>
void add_config_flags(CLI::App& verb, Options& options) {
  verb.add_option("-c,--config", options.config_file, "the configuration (default: every key at its default)")
      ->type_name("FILE");
  verb.add_option("--set", options.settings, "one key, in TOML; wins over file and environment; may be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void add_serve(CLI::App& program, Verb& chosen) {
  CLI::App* verb = program.add_subcommand("serve", "Run the server until SIGTERM or Ctrl-C; SIGHUP reloads");
  const auto options = std::make_shared<ServeOptions>();
  add_config_flags(*verb, *options);
  verb->add_flag("--dev", options->dev, "make a self-signed certificate where none is configured");
  verb->footer(
      "Prints one line on stdout when it is ready: godwit ready quic=ADDR:PORT admin=ADDR:PORT\n"
      "Examples:\n"
      "  godwit serve --dev -c conf/dev.toml\n"
      "  godwit serve -c /etc/godwit/godwit.toml --set 'server.listen=\"0.0.0.0:8453\"'");
  verb->callback([&chosen, options] { chosen = [options] { return run_serve(*options); }; });
}

void add_check(CLI::App& program, Verb& chosen) {
  CLI::App* verb = program.add_subcommand("check", "Check configuration and scripts without serving; lists all errors");
  const auto options = std::make_shared<CheckOptions>();
  add_config_flags(*verb, *options);
  verb->footer(
      "Examples:\n"
      "  godwit check -c /etc/godwit/godwit.toml && systemctl reload godwit\n"
      "Exit code: 0 all is well, 2 something is not.");
  verb->callback([&chosen, options] { chosen = [options] { return run_check(*options); }; });
}

}  // namespace godwit::app

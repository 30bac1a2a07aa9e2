#include "app/commands/program.h"

#include <fmt/format.h>

#include <system_error>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/text.h"
#include "base/version.h"

namespace godwit::app {
namespace {

struct NamedVerb {
  const CLI::App& verb;
  std::string command;  ///< as it was typed
};

// What was asked for by name of a verb is explained by the help of that verb.
NamedVerb last_verb(const CLI::App& program) {
  const CLI::App* at = &program;
  std::string command = "godwit";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return {*at, std::move(command)};
}

// To the parser a verb that does not exist is only one that is missing.
std::string reason(const CLI::App& verb, const CLI::ParseError& error) {
  const std::vector<std::string> words = verb.remaining();
  if (dynamic_cast<const CLI::RequiredError*>(&error) == nullptr || words.empty()) return error.what();
  std::vector<std::string_view> names;
  for (const CLI::App* known : verb.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(known->get_name());
  }
  if (names.empty()) return error.what();
  const auto near = nearest(words.front(), names);
  return fmt::format("there is no '{}'{}", words.front(), near ? fmt::format("; did you mean '{}'?", *near) : "");
}

int refuse(const CLI::App& program, const CLI::ParseError& error) {
  const auto [verb, command] = last_verb(program);
  print_error({Code::kUsageInvalid, reason(verb, error) + "; see: " + command + " --help"});
  return static_cast<int>(ExitCode::kUsage);
}

/// An answer that could not be printed is no success.
int run_verb(const Verb& verb) {
  ExitCode outcome = ExitCode::kOk;
  bool printed = true;
  try {
    outcome = verb();
  } catch (const std::system_error&) {  // from fmt::print
    printed = false;
  }
  printed &= finish_output();
  if (printed || outcome != ExitCode::kOk) return static_cast<int>(outcome);
  print_warning("not everything could be written to the standard output");
  return static_cast<int>(ExitCode::kPeerFailed);
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App program("godwit, a QUIC messaging runtime whose handlers are scripts that change while it runs", "godwit");
  Verb chosen;
  for (const auto add :
       {add_serve, add_check, add_request, add_send, add_listen, add_connect, add_bench, add_script, add_plugin,
        add_session, add_token, add_reload, add_config, add_new, add_test, add_lint, add_errors, add_version})
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
  return run_verb(chosen);
}

}  // namespace godwit::app

#pragma once

#include <functional>

#include "app/commands/exit_code.h"

namespace CLI {
class App;
}

namespace godwit::app {

/// What the command line asked for, to be run once all of it was understood.
using Verb = std::function<ExitCode()>;

// Each adds one verb of the command, with its flags and help, to the program; when it is the one that was asked for,
// `chosen` is set.
void add_serve(CLI::App& program, Verb& chosen);
void add_check(CLI::App& program, Verb& chosen);
void add_request(CLI::App& program, Verb& chosen);
void add_send(CLI::App& program, Verb& chosen);
void add_listen(CLI::App& program, Verb& chosen);
void add_connect(CLI::App& program, Verb& chosen);
void add_bench(CLI::App& program, Verb& chosen);
void add_script(CLI::App& program, Verb& chosen);
void add_reload(CLI::App& program, Verb& chosen);
void add_session(CLI::App& program, Verb& chosen);
void add_token(CLI::App& program, Verb& chosen);
void add_config(CLI::App& program, Verb& chosen);
void add_new(CLI::App& program, Verb& chosen);
void add_test(CLI::App& program, Verb& chosen);
void add_lint(CLI::App& program, Verb& chosen);
void add_plugin(CLI::App& program, Verb& chosen);
void add_errors(CLI::App& program, Verb& chosen);
void add_version(CLI::App& program, Verb& chosen);

// The same for verbs within these.
void add_new_app(CLI::App& parent, Verb& chosen);
void add_new_stubs(CLI::App& parent, Verb& chosen);
void add_new_plugin(CLI::App& parent, Verb& chosen);
void add_plugin_inspect(CLI::App& plugin, Verb& chosen);
/// ls, show, load, reload, …: of a running server.
void add_plugin_control(CLI::App& plugin, Verb& chosen);

}  // namespace godwit::app

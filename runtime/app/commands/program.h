#pragma once

namespace godwit::app {

/// The `godwit` command: understands the command line, runs the verb it names, and returns the shell's exit code.
int run_program(int argc, char** argv);

}  // namespace godwit::app

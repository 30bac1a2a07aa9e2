#pragma once

#include <span>

#include "app/commands/exit_code.h"
#include "base/error.h"

namespace godwit::app {

/// Prints every mistake of a configuration, script or start to stderr; what the verb then returns.
ExitCode report(std::span<const Error> errors);

}  // namespace godwit::app

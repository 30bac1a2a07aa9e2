#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/exit_code.h"

namespace godwit::app {

struct ServeOptions {
  std::optional<std::filesystem::path> config_file;  ///< -c
  std::vector<std::string> settings;                 ///< --set section.key=VALUE, in the order given
  bool dev = false;                                  ///< --dev: a missing certificate is made
};

/// Runs the server until SIGTERM or SIGINT. Prints `godwit ready quic=ADDR:PORT …` on stdout once it accepts; errors
/// go to stderr. kOk after an orderly stop, kUsage when it could not start.
ExitCode run_serve(const ServeOptions& options);

}  // namespace godwit::app

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/exit_code.h"

namespace godwit::app {

struct CheckOptions {
  std::optional<std::filesystem::path> config_file;  ///< -c
  std::vector<std::string> settings;                 ///< --set section.key=VALUE, in the order given
};

/// Loads configuration and scripts without serving, and prints every mistake at once to stderr. kOk or kUsage.
ExitCode run_check(const CheckOptions& options);

}  // namespace godwit::app
